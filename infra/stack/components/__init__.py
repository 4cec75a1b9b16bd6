"""Components: each turns one frozen spec into Cloudflare resources.

A component takes (name, spec, opts), parents its children and registers its outputs. It
decides nothing: what to make is in the spec. Must not read settings or config.
"""
