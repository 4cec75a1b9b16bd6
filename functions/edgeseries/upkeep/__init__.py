"""What the janitor keeps in order."""
