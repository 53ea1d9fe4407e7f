"""Chapter 5: the LSTM."""
