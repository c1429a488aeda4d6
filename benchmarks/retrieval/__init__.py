"""Is the right moment found? A generated archive, questions with known answers, scores."""
