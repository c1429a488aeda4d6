"""Sample media with known truth, and the program that makes it."""
