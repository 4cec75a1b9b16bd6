"""One file a measurement; `bench/registry.py` lists them."""
