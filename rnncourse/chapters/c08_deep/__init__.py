"""All that chapter 8 alone needs: recurrent networks that are deep, in four ways."""
