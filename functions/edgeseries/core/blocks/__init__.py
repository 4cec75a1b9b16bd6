"""Blocks: one point's samples of one UTC month as bytes. The format's page: docs/formats/block.md.

From the inside out: `wire` (numbers in bytes), `integers`, `floats`, `values` (columns),
`segments` (some whole days), `header`, `block` (encode, decode, merge).
"""
