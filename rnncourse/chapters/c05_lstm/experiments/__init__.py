"""The experiments of chapter 5: what needs several seeds or minutes."""
