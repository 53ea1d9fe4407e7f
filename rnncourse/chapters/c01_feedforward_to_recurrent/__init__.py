"""All that chapter 1 alone needs: from feedforward to recurrent networks."""
