"""What runs EdgeSeries on one machine: hosts, the upstream simulator, the demo. Never deployed."""
