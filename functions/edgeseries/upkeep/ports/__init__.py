"""Ports of upkeep."""
