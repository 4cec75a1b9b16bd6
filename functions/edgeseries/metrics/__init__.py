"""What is counted, what it costs, and when somebody is alerted."""
