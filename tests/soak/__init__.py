"""The soak: mixed load under faults and kills, against a model that knows the truth. `docs/testing.md`."""
