"""The experiments of chapter 6: what needs several seeds or minutes."""
