"""Warming over the database and the memory of an isolate."""
