"""Chapter 6: the GRU and its relatives."""
