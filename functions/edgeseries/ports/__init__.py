"""What flows may ask of the world, as small protocols in the words of the domain."""
