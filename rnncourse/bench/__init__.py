"""What our layers cost beside ``torch.nn`` and beside a plain textbook loop: ``rnncourse bench`` or ``make bench``.

All candidates of a comparison run interleaved in one process on one thread, round after round, so that whatever else
the machine is doing meets them all alike; what is reported is the median, over the rounds, of the ratio *within* a
round, with its range. Times are processor time of the process, which a busy neighbour inflates less than the wall
clock. Before anything is timed its outputs and its gradients are compared with those of ``torch.nn``.

Which is fastest depends on the processor, so each machine has a file of its own, ``book/results/bench/PROCESSOR.json``,
that says what the processor is and what torch uses of it. XLA's scan takes part where flax and equinox are installed,
``pip install rnncourse[bench]``.
"""

from .command import main

__all__ = ["main"]
