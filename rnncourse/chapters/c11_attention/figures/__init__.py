"""The figures that chapter 11 alone draws."""
