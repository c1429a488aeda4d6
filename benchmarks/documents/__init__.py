"""Documents: how fast and how exactly they are read, and slides tied to their talks."""
