"""Reading series of points: from blocks, from the live edge, and from the upstream, as one."""
