"""Chapter 11's questions: looking up, scoring, the way back, reading an alignment, self-attention, and addresses."""

from rnncourse.chapters.c11_attention.questions.addresses import ADDRESSES
from rnncourse.chapters.c11_attention.questions.alignment import ALIGNMENT, SELF
from rnncourse.chapters.c11_attention.questions.lookup import BACK, LOOKUP, SCORES

QUESTIONS = [LOOKUP, SCORES, BACK, ALIGNMENT, SELF, ADDRESSES]
