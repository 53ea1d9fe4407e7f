"""The experiments of chapter 11: what needs several seeds or minutes."""
