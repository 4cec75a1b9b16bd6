"""Simulators of upstreams other than ACE, each in its vendor's own HTTP shape, over one truth.

Pages in `docs/origins/`; the server and its faults: `docs/simulator.md`.
"""
