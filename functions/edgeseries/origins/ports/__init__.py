"""Ports of upstream APIs."""
