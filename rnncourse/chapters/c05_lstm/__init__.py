"""All that chapter 5 alone needs: the LSTM."""
