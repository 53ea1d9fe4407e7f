"""All that chapter 2 alone needs: the vanilla RNN."""
