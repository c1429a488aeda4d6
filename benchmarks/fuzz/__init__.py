"""Does ingest survive damaged files: no crash, no hang, no wrong entry?"""
