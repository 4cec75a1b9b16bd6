"""ACE FlightDeck: wire format, calls, the origin."""
