"""All that chapter 4 alone needs: tanh, and why gradients vanish or explode."""
