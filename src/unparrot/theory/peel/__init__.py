"""peel."""
