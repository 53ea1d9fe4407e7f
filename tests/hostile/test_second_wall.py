"""The same cases behind the second wall; what concerns the grader's side of the pipe is the same behind every wall."""

import pytest

from tests.hostile.test_walls import BATCHES, hold

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
PIPE = ("protocol", "values", "patches")


@pytest.mark.parametrize("batch", [batch for batch in BATCHES if not batch.startswith(PIPE)])
def test_landlock_holds(batch, tmp_path):
    hold("landlock", batch, tmp_path)
