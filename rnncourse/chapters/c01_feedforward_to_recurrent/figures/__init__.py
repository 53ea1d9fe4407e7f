"""The figures that chapter 1 alone draws."""
