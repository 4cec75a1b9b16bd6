"""Leases over the database."""
