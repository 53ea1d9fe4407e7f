"""All that chapter 10 alone needs: encoders and decoders."""
