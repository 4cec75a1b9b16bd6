"""The scheduled janitor: one deployed Worker."""
