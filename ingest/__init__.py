"""A file becomes a source with segments and moments, embedded and committed as a shard."""
