"""Counters in the isolate and in the database."""
