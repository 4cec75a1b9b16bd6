"""Ports of access control."""
