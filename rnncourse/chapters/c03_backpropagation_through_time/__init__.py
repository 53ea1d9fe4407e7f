"""All that chapter 3 alone needs: backpropagation through time."""
