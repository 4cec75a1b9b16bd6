"""Upstream APIs: one folder a vendor, behind one port."""
