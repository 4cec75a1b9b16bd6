"""What can be asked of samples instead of the samples: buckets, and charts."""
