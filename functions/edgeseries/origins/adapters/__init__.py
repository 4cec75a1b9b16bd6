"""What protects every upstream, whatever its vendor."""
