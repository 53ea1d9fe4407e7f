"""The experiments of chapter 12: what needs several seeds or minutes."""
