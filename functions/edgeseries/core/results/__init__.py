"""Results of jobs as text: the same series as JSON, NDJSON or CSV, piece by piece."""
