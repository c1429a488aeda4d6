"""The index beside others: found, fast, small."""
