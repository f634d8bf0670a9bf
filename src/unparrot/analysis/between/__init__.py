"""between."""
