"""Chapter 10's questions: forcing, folding and unfolding, the way back, a beam, error rates, and a beam that loses."""

from rnncourse.chapters.c10_encoder_decoder.questions.networks import BACK, FORCING, UNFOLD
from rnncourse.chapters.c10_encoder_decoder.questions.scoring import RATES
from rnncourse.chapters.c10_encoder_decoder.questions.searching import BEAM, LOSING

QUESTIONS = [FORCING, UNFOLD, BACK, BEAM, RATES, LOSING]
