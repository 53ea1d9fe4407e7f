"""Chapter 4: tanh, and why gradients vanish or explode."""
