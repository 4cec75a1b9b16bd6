"""Ports of planning."""
