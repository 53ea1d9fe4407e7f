"""The three sizes at which a chapter and its experiments run."""

__all__ = ["SCALES"]

SCALES = ("smoke", "page", "full")
"""Seconds; as the page was printed; as the committed results were made."""
