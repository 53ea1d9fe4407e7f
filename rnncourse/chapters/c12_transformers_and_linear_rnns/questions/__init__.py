"""Chapter 12's questions: who may look, positions, joining steps, a scan, a gate for parity, and what a cache costs."""

from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.attention import CACHE, LOOK, PLACES
from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.by_hand import AUTOMATON
from rnncourse.chapters.c12_transformers_and_linear_rnns.questions.scanning import JOIN, MINGRU

QUESTIONS = [LOOK, PLACES, CACHE, JOIN, MINGRU, AUTOMATON]
