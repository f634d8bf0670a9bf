"""The laboratory: a synthetic world, models trained on it from scratch, and their measurement."""
