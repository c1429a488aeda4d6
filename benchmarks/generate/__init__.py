"""Measurements of answers through models."""
