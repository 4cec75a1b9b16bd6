"""Ports of metrics."""
