"""Background jobs: states, messages, batching, retries, their records."""
