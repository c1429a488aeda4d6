"""Are verdicts on what a model writes right? True, moved, altered and invented sentences."""
