"""The HTTP API: `run` listens, `guard` lets requests in, `app` holds the routes."""
