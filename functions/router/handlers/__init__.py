"""One file a group of endpoints, named by the URL."""
