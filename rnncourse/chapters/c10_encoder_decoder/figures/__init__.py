"""The figures that chapter 10 alone draws."""
