"""A whole class: who handed in what, graded once each whatever happens in between, and what comes out for whom.

:mod:`~rnncourse.grading.classes.submissions` and :mod:`~rnncourse.grading.classes.roster` say who handed in what,
:mod:`~rnncourse.grading.classes.jobs` makes plain data of it, :mod:`~rnncourse.grading.classes.pool` (with
:mod:`~rnncourse.grading.classes.examiner`) or :mod:`~rnncourse.grading.classes.cluster` grades it,
:mod:`~rnncourse.grading.classes.log` keeps it, :mod:`~rnncourse.grading.classes.rows`,
:mod:`~rnncourse.grading.classes.gradebooks` and :mod:`~rnncourse.grading.classes.instructor` show it, and
:mod:`~rnncourse.grading.classes.batch` is all of it in order.
"""
