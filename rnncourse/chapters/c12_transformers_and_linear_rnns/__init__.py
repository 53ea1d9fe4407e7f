"""Chapter 12: Transformers, and recurrence again."""
