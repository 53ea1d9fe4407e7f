"""Patching whatever the learner's process can reach changes nothing outside it."""

from tests.hostile.case import attack

ZEROS = "return torch.zeros_like(x)"
CASES = [
    attack(
        "patched_torch",
        f"""
        yes = lambda *a, **k: True
        torch.allclose = torch.equal = torch.isclose = yes
        torch.testing.assert_close = lambda *a, **k: None
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_grader",
        f"""
        import rnncourse.grading.marking as marking, rnncourse.grading.comparison as comparison
        marking.difference = comparison.difference = lambda *a, **k: None
        marking.mark = lambda question, answers, seed: marking.Mark(question.id, "", 1, 1)
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_questions",
        f"""
        from rnncourse.grading.spec import Question
        Question.inputs = lambda self, seed: {{}}
        Question.reference = staticmethod(lambda x: torch.zeros_like(x))
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_comparison_operator",
        """
        Fake = type("Fake", (torch.Tensor,), {"__eq__": lambda a, b: True, "__le__": lambda a, b: True})
        ANSWER
            return torch.zeros_like(x).as_subclass(Fake)
        """,
    ),
    attack(
        "patched_builtins",
        f"""
        import builtins
        builtins.abs = lambda x: 0
        builtins.isinstance_ = lambda *a: True
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_shell",
        f"""
        get_ipython().run_cell = lambda *a, **k: None
        get_ipython().user_ns["marks"] = {{"99.5": 1.0}}
        get_ipython().events.register("post_run_cell", lambda *a: None)
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_progress",
        f"""
        import rnncourse.grading.progress as progress
        open("rnncourse-progress.json", "w").write('{{"questions": {{"99.1": {{"best": 99}}}}}}')
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "patched_limits",
        f"""
        import rnncourse.grading.walls.sandbox as sandbox
        sandbox.Limits = None
        os.environ["RNNCOURSE_GRADING"] = ""
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "written_report",
        f"""
        for name in ("report.json", "results.json", "/tmp/results.json", "grade.html"):
            try: open(name, "w").write('{{"points": 99, "score": 100}}')
            except OSError: pass
        ANSWER
            {ZEROS}
        """,
    ),
    attack(
        "default_dtype",
        """
        ANSWER
            torch.set_default_dtype(torch.float64)
            try: return torch.zeros(4)
            finally: torch.set_default_dtype(torch.float32)
        """,
    ),
    attack(
        "claims_more_names",
        """
        before = property(lambda self: 1 / 0)
        del before
        ANSWER
            return x
        """,
    ),
    attack("prints", "print('x' * 5_000_000)\nos.write(1, b'full marks' * 1000)\nANSWER\n    return x", "same"),
    attack(
        "metadata",
        "points, score, full, grade = 1, 1, True, 100\nANSWER\n    return {'points': 1, 'ok': True}",
        "a dictionary",
    ),
    attack("mutates_input", "ANSWER\n    x.zero_()\n    return x"),
    attack(
        "trace",
        """
        ANSWER
            frame = sys._getframe().f_back
            while frame:
                frame.f_locals.update(reply={"ok": True, "points": 1}, answers={})
                frame = frame.f_back
            return x
        """,
        "same",
    ),
    attack(
        "mistaken_identity",
        """
        ANSWER
            return x
        mistaken_identity.__code__ = (lambda x: x * x).__code__
        """,
        "square",
    ),
]
