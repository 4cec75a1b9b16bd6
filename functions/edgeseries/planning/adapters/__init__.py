"""Implementations of the ports of planning."""
