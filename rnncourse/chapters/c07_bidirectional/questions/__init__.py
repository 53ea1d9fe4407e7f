"""Chapter 7's questions: backward states, merges, sentence vectors, late answers, what is seen, deciding letters."""

from rnncourse.chapters.c07_bidirectional.questions.backwards import BACKWARDS, MERGE
from rnncourse.chapters.c07_bidirectional.questions.reach import DECIDING, REACH
from rnncourse.chapters.c07_bidirectional.questions.reading import LATE, VECTORS

QUESTIONS = [BACKWARDS, MERGE, VECTORS, LATE, REACH, DECIDING]
