"""Chapter 3's questions: the slope, one step back, a product of Jacobians, a leaky layer, truncation, and RTRL."""

from rnncourse.chapters.c03_backpropagation_through_time.questions.layer import LEAKY, SENSITIVITY, TRUNCATED
from rnncourse.chapters.c03_backpropagation_through_time.questions.step import JACOBIAN, SLOPE, STEP_BACK

QUESTIONS = [SLOPE, STEP_BACK, JACOBIAN, LEAKY, TRUNCATED, SENSITIVITY]
