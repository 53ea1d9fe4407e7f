"""The experiments of chapter 9: what needs several seeds or minutes."""
