"""Statistics over marks: intervals that stay honest for small samples."""
