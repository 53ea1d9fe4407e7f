"""The experiments of chapter 2: what needs several seeds or minutes."""
