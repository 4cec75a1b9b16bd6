"""Ports of the block store."""
