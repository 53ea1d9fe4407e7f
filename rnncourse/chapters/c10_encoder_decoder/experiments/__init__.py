"""The experiments of chapter 10: what needs several seeds or minutes."""
