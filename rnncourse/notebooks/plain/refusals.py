"""What cannot be said plainly is refused by name, so that nothing raw is ever handed out."""

__all__ = ["NoPlainForm"]


class NoPlainForm(ValueError):
    """A role, directive, label or number in a notebook's text that has no plain form."""
