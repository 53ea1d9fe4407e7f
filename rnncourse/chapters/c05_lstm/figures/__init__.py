"""The figures that chapter 5 alone draws."""
