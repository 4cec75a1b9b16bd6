"""API keys in the database and in the isolate's memory."""
