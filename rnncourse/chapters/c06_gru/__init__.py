"""All that chapter 6 alone needs: the GRU and its relatives."""
