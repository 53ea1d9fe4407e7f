"""A data loader without workers gives the batches that it gives with them."""

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from rnncourse.grading.alone import OF_WORKERS, load_data_alone


@pytest.fixture
def alone():
    class Alone(DataLoader):
        pass

    load_data_alone(Alone)
    return Alone


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_workers": 2},
        {"num_workers": 2, "persistent_workers": True, "prefetch_factor": 3, "timeout": 9.0},
        {"num_workers": 1, "multiprocessing_context": "fork", "worker_init_fn": print},
    ],
)
def test_workers_are_left_out_and_the_batches_stay(alone, options):
    data = TensorDataset(torch.arange(7.0))
    plain = DataLoader(data, 3, shuffle=True, generator=torch.Generator().manual_seed(1))
    loader = alone(data, 3, shuffle=True, generator=torch.Generator().manual_seed(1), **options)
    assert loader.num_workers == 0
    assert [batch.tolist() for (batch,) in loader] == [batch.tolist() for (batch,) in plain]


def test_workers_by_their_place_are_left_out_too(alone):
    loader = alone(range(6), 2, False, None, None, 4)
    assert (loader.num_workers, len(loader)) == (0, 3)


def test_what_a_loader_refuses_is_refused_still(alone):
    with pytest.raises(TypeError, match="unknown_word"):
        alone(range(3), unknown_word=True)
    with pytest.raises(ValueError, match="batch_size"):
        alone(range(3), batch_size=0)


def test_everything_that_is_left_out_is_an_argument_of_the_loader():
    import inspect

    assert set(OF_WORKERS) <= set(inspect.signature(DataLoader.__init__).parameters)
