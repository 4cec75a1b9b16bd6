"""SQL of leases. Table: `schema.sql`. Every time is the database's own."""

from typing import Final

_NOW_MS: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
"""UTC epoch milliseconds; 2440587.5 is the Julian day of 1970-01-01."""

RUN_OUT: Final = f"""
DELETE FROM fetch_leases WHERE until_ms <= {_NOW_MS} RETURNING site, days_json
"""
"""Nobody else tidies up: there are as many rows as fetches under way."""

TAKE: Final = f"""
INSERT INTO fetch_leases (site, holder, days_json, until_ms) VALUES (?1, ?2, ?3, {_NOW_MS} + ?4)
RETURNING lease_id
"""

TAKEN_BEFORE: Final = f"""
SELECT holder, days_json FROM fetch_leases
WHERE site = ?1 AND until_ms > {_NOW_MS} AND lease_id < (SELECT max(lease_id) FROM fetch_leases)
"""
"""In the transaction of TAKE: the largest number is its own."""

SHRINK: Final = """
UPDATE fetch_leases SET days_json = ?2 WHERE lease_id = ?1
"""

RENEW: Final = f"""
UPDATE fetch_leases SET until_ms = {_NOW_MS} + ?2 WHERE lease_id = ?1 AND until_ms > {_NOW_MS}
"""

RELEASE: Final = """
DELETE FROM fetch_leases WHERE lease_id = ?1
"""

TAKEN_NOW: Final = f"""
SELECT holder, days_json FROM fetch_leases WHERE site = ?1 AND until_ms > {_NOW_MS}
"""
