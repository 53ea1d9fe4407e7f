"""The experiments of chapter 4: what needs several seeds or minutes."""
