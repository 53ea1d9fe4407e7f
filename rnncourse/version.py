"""The version of the course and its package."""

__all__ = ["__version__"]

__version__ = "0.1.0"
