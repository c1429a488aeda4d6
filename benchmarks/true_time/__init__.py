"""Do times agree with what the pictures say? `python -m benchmarks.true_time`."""
