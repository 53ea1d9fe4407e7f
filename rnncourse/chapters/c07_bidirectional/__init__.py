"""All that chapter 7 alone needs: bidirectional networks."""
