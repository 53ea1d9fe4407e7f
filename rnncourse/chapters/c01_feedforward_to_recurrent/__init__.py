"""Chapter 1: from feedforward to recurrent networks."""
