"""Ports of the job engine."""
