"""What the cosines of an embedder mean: of what belongs together, and of what does not."""
