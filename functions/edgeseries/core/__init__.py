"""Pure values and decisions. Nothing here names a platform, a clock, entropy or I/O."""
