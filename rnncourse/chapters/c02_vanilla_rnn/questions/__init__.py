"""Chapter 2's questions: one step, its two forms, a layer over time, bits per character, and a sampling rule."""

from rnncourse.chapters.c02_vanilla_rnn.questions.layer import FORMS, LAYER, STEP
from rnncourse.chapters.c02_vanilla_rnn.questions.text import BITS, SAMPLING

QUESTIONS = [STEP, FORMS, LAYER, BITS, SAMPLING]
