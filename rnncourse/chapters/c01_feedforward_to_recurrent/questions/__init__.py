"""Chapter 1's questions: windows, cycles, memory, one network in several shapes, Jordan's context, a window."""

from rnncourse.chapters.c01_feedforward_to_recurrent.questions.networks import JORDAN, RECURRENT, SHAPES
from rnncourse.chapters.c01_feedforward_to_recurrent.questions.windows import COUNTS, NEEDED, WINDOWS

QUESTIONS = [WINDOWS, RECURRENT, COUNTS, SHAPES, JORDAN, NEEDED]
