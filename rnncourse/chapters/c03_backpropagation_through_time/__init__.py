"""Chapter 3: backpropagation through time."""
