"""InfluxDB 1 (InfluxQL), 2 (Flux) and 3 (SQL)."""
