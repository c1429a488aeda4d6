"""A question becomes ranked hits: coarse to fine, words beside vectors, merged into spans."""
