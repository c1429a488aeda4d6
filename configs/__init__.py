"""Configuration files; `default.yaml` states every key with its default."""
