"""Who fetches which missing days right now, so that nobody fetches what somebody else is fetching."""
