"""Measurements: `make bench`, or `python -m bench --help`. Nothing of the product imports them."""
