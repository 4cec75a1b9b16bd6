"""HTTP as plain values: requests and responses, declared parameters, CORS."""
