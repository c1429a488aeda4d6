"""Segments and moments become searchable: records, embedders, vectors, words, shards, manifest.

This package imports none of the others; everything else builds on it.
"""
