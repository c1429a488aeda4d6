"""Hits become an answer whose every sentence names the span or page that proves it."""
