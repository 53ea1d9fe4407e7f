"""Chapter 2's questions: one step, its two forms, a layer over time, bits per character, sampling, and training."""

from rnncourse.chapters.c02_vanilla_rnn.questions.layer import FORMS, LAYER, STEP
from rnncourse.chapters.c02_vanilla_rnn.questions.text import BITS, SAMPLING
from rnncourse.chapters.c02_vanilla_rnn.questions.training import TRAINING

QUESTIONS = [STEP, FORMS, LAYER, BITS, SAMPLING, TRAINING]
