"""Exercises: questions, the self-check in the notebook, and the graded run.

There are two ways to look at an answer, and they are honest about what they are.

**The self-check** (:func:`rnncourse.check`) runs inside the learner's own process. It is quick and friendly, and it
is advice: whoever runs it could also make it say anything.

**The graded run** (``rnncourse grade``) assumes that a notebook may be hostile, without suspecting anybody in
particular. Its design is one sentence: *the process that runs the notebook learns the inputs and returns values;
everything that decides about points happens in another process*.

What the learner's process may do, and why it does not matter:

- patch torch, json or IPython, replace comparison functions, return objects that equal everything: no comparison
  happens there, and only plain tensors, numbers and strings can cross the pipe;
- read memory, the stack, modules or the disk: the references are not in that process, and the sandbox mounts the
  package without its questions;
- write forged frames into the pipe: a frame can only say "this is my answer", which is what it is for;
- print, crash, hang, fork, allocate: limits on time, memory, processes and bytes end it, and the marks that other
  questions have earned are already in the parent; whatever the parent has to do for a frame, a file or an answer is
  bounded before it is done;
- reach out: there is no network, no file of the machine beyond Python's own, and no other process to touch.

What remains possible is to answer correctly without understanding, by copying a solution. No program can tell;
questions ask for intermediates and twists that no library call returns, and the report points a human to lines that
look like a shortcut.

The modules, from the bottom: :mod:`~rnncourse.grading.spec` (what a question is), :mod:`~rnncourse.grading.wire`
(what crosses the pipe), :mod:`~rnncourse.grading.comparison`, :mod:`~rnncourse.grading.judging` and
:mod:`~rnncourse.grading.marking` (values to points and words), :mod:`~rnncourse.grading.selfcheck`; then, for the
graded run, the room :mod:`~rnncourse.grading.walls`, :mod:`~rnncourse.grading.worker` (inside) with
:mod:`~rnncourse.grading.zygote` (which forks it), :mod:`~rnncourse.grading.warm`,
:mod:`~rnncourse.grading.processes` and :mod:`~rnncourse.grading.channel` (the grader's end of the pipe) and
:mod:`~rnncourse.grading.grader`, with :mod:`~rnncourse.grading.report` and :mod:`~rnncourse.grading.page` for what
comes out. A whole class is the room
:mod:`~rnncourse.grading.classes`.
"""
