"""From a query to what is read and fetched: canonical form, route, fetch plan, live edge."""
