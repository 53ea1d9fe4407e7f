"""Recurrent neural networks, taught by code that is tested like a numerical library."""

__version__ = "0.1.0"


def __getattr__(name: str):
    if name == "check":  # loaded when asked for, so that importing the package stays light
        from rnncourse.course import check

        return check
    raise AttributeError(f"module 'rnncourse' has no attribute {name!r}")
