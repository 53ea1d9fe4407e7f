"""Chapter 4's questions: slopes, products of Jacobians, bound and asymptote, clipping, skip paths, transient growth."""

from rnncourse.chapters.c04_tanh_and_gradients.questions.jacobians import BOUND, PRODUCT, SLOPES, TRANSIENT
from rnncourse.chapters.c04_tanh_and_gradients.questions.remedies import CLIP, SKIP

QUESTIONS = [SLOPES, PRODUCT, BOUND, CLIP, SKIP, TRANSIENT]
