"""All that chapter 11 alone needs: attention."""
