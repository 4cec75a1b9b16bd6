"""SQL of leases. Table: `schema.sql`. Every time is the database's own."""

from typing import Final

_NOW_MS: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
"""UTC epoch milliseconds; 2440587.5 is the Julian day of 1970-01-01."""

RUN_OUT: Final = f"""
DELETE FROM fetch_leases WHERE until_ms <= {_NOW_MS} - CASE holder WHEN 'released' THEN ?1 ELSE 0 END
RETURNING site, holder, days_json
"""
"""Nobody else tidies up: there are as many rows as fetches under way, and of the last seconds."""

TAKE: Final = f"""
INSERT INTO fetch_leases (site, holder, days_json, until_ms) VALUES (?1, ?2, ?3, {_NOW_MS} + ?4)
RETURNING lease_id, until_ms
"""

TAKEN_BEFORE: Final = f"""
SELECT holder, days_json, until_ms FROM fetch_leases
WHERE site = ?1 AND (until_ms > {_NOW_MS} OR holder = 'released')
  AND lease_id < (SELECT max(lease_id) FROM fetch_leases)
"""
"""In the transaction of TAKE: the largest number is its own."""

SHRINK: Final = """
UPDATE fetch_leases SET days_json = ?2 WHERE lease_id = ?1
"""

RENEW: Final = f"""
UPDATE fetch_leases SET until_ms = {_NOW_MS} + ?2 WHERE lease_id = ?1 AND until_ms > {_NOW_MS}
"""

RELEASE: Final = f"""
UPDATE fetch_leases SET holder = 'released', until_ms = {_NOW_MS} WHERE lease_id = ?1 AND holder <> 'released'
"""
"""It stays for a while, so that who looked at the index before it looks again."""

DROP: Final = """
DELETE FROM fetch_leases WHERE lease_id = ?1
"""
"""Nothing of it was fetched."""

TAKEN_NOW: Final = f"""
SELECT holder, days_json FROM fetch_leases WHERE site = ?1 AND until_ms > {_NOW_MS}
"""
