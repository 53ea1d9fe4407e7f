"""Chapter 8's questions: a deep step, a residual stack, sizes, ways for credit, masks, and a counter by hand."""

from rnncourse.chapters.c08_deep.questions.by_hand import COUNTER
from rnncourse.chapters.c08_deep.questions.counting import PATHS, SIZES
from rnncourse.chapters.c08_deep.questions.layers import MASKS, STACK, STEP

QUESTIONS = [STEP, STACK, SIZES, PATHS, MASKS, COUNTER]
