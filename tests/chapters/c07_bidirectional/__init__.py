"""Tests of what chapter 7 alone needs."""
