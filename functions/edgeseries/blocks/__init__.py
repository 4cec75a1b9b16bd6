"""Blocks: the byte format (pure), the store's ports, the store itself."""
