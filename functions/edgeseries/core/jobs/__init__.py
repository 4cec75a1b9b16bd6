"""Jobs as values: what they are, how they may change, how they are cut, what a failure means."""
