"""The experiments of chapter 3: what needs several seeds or minutes."""
