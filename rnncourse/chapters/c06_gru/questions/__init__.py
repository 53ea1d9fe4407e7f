"""Chapter 6's questions: the published step, foreign weights, one step back, sizes for a budget, a clock, the reset."""

from rnncourse.chapters.c06_gru.questions.relatives import CLOCK, SIZES
from rnncourse.chapters.c06_gru.questions.reset import THREE
from rnncourse.chapters.c06_gru.questions.step import ADOPT, BACK, STEP

QUESTIONS = [STEP, ADOPT, BACK, SIZES, CLOCK, THREE]
