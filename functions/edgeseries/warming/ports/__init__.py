"""What warming asks of the world."""
