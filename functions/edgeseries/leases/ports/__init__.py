"""Ports of leases."""
