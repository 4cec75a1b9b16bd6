"""What stores stand on: a bucket, a database, object keys, their limits."""
