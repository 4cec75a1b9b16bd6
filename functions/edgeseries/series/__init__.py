"""Samples, points, time ranges and days: the values that everything else speaks of."""
