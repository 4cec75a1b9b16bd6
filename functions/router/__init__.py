"""The HTTP router: one deployed Worker."""
