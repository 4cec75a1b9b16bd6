"""Warming: what is asked again and again is fetched before it is asked, within a budget."""
