"""Ports of answers."""
