"""The experiments of chapter 7: what needs several seeds or minutes."""
