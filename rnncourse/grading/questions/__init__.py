"""Questions of chapters that have no room in :mod:`rnncourse.chapters` yet."""


def __getattr__(name: str):
    if name in ("all_questions", "chapter_questions", "find_question"):  # where the chapters' notebooks look for them
        from rnncourse import chapters

        return getattr(chapters, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
