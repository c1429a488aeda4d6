"""How fast is the whole path on this machine? Ingest per stage, memory, search latency."""
