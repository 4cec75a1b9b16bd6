"""The queue consumer: one deployed Worker."""
