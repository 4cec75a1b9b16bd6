"""Upkeep over the bucket and the database."""
