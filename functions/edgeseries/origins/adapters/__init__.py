"""What protects every upstream, whatever its vendor, and what reads Parquet."""
