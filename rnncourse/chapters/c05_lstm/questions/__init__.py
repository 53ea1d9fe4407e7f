"""Chapter 5's questions: gates, foreign weights, a coupled cell and its backward pass, broken LSTMs, a lag."""

from rnncourse.chapters.c05_lstm.questions.backward import BACKWARD, CELL_PATH
from rnncourse.chapters.c05_lstm.questions.broken import EXPOSE
from rnncourse.chapters.c05_lstm.questions.forward import ADOPT, COUPLED, STEP
from rnncourse.chapters.c05_lstm.questions.lag import LAG

QUESTIONS = [STEP, ADOPT, COUPLED, CELL_PATH, BACKWARD, EXPOSE, LAG]
