"""How long does a second run over an unchanged archive take? `python -m benchmarks.rerun`."""
