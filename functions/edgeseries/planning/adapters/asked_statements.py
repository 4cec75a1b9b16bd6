"""SQL of days that small questions asked. Table: `schema.sql`."""

from typing import Final

ASKED: Final = """
SELECT asked.month, asked.days_json
FROM json_each(?2) AS wanted
CROSS JOIN asked_days AS asked ON asked.site = ?1 AND asked.month = wanted.value
"""

REMEMBER: Final = """
INSERT INTO asked_days (site, month, days_json)
SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2) WHERE true
ON CONFLICT (site, month) DO UPDATE SET days_json = excluded.days_json
"""
"""Rows are (month, days). The later of two writers stays."""
