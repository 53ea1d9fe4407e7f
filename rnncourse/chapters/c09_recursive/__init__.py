"""All that chapter 9 alone needs: recursive networks."""
