"""Chapter 2: the vanilla RNN."""
