"""Measurements, run by hand or by `make bench`. Nothing of the product imports them."""
