"""The walls around a learner's process: which there are, what they show, and what the process does to itself.

:mod:`~rnncourse.grading.walls.sandbox` says which walls stand here: :mod:`~rnncourse.grading.walls.bubblewrap` or
:mod:`~rnncourse.grading.walls.landlocked`, with what both cover in :mod:`~rnncourse.grading.walls.covering` and what
the worker does to itself in :mod:`~rnncourse.grading.walls.confine`. Around them, on the grader's side,
:mod:`~rnncourse.grading.walls.cgroup` and :mod:`~rnncourse.grading.walls.watch` bound what is used, and
:mod:`~rnncourse.grading.walls.leftovers` removes what is left.
"""
