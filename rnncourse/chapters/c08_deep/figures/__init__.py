"""The figures that chapter 8 alone draws."""
