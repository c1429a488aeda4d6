"""How fast, and in how much memory, does an hour of narrated slides become searchable?"""
