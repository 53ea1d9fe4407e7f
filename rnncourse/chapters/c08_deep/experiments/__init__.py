"""The experiments of chapter 8: what needs several seeds or minutes."""
