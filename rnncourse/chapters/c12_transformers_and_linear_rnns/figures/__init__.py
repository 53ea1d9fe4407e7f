"""What chapter 12 alone draws."""
