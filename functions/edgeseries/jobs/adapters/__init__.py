"""The job engine's records in the database."""
