"""What questions need of a host."""
