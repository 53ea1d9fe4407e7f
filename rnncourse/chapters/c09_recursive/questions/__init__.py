"""Chapter 9's questions: a fold, a Tree-LSTM's step and its way back, brackets, levels, and weights set by hand."""

from rnncourse.chapters.c09_recursive.questions.by_hand import LOGIC
from rnncourse.chapters.c09_recursive.questions.step import BACK, FOLD, STEP
from rnncourse.chapters.c09_recursive.questions.structure import BRACKETS, LEVELS

QUESTIONS = [FOLD, STEP, BACK, BRACKETS, LEVELS, LOGIC]
