"""The figures that chapter 9 alone draws."""
