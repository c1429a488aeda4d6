"""What is measured: one folder a question, each run with `python -m benchmarks.<folder>`."""
