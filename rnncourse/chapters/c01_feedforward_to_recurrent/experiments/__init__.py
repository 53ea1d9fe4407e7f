"""The experiments of chapter 1: what needs several seeds or minutes."""
