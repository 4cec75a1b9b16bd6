"""What the router promises over HTTP, declared: what handlers read by, and what `/api/openapi.json` says."""
