"""Settings of a stack that Workers read, declared once for them and for the infra program."""
