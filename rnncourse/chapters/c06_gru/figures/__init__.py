"""The figures that chapter 6 alone draws."""
