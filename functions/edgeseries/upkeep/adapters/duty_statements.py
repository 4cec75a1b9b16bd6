"""SQL of `janitor_state`: leases of duties and where they stopped. Tables: `schema.sql`."""

from typing import Final

CLAIM_DUTY: Final = """
INSERT INTO janitor_state (duty, ran_ms, lease_until_ms) VALUES (?1, 0, ?3)
ON CONFLICT (duty) DO UPDATE SET lease_until_ms = excluded.lease_until_ms
WHERE lease_until_ms IS NULL OR lease_until_ms <= ?2
RETURNING cursor
"""
"""One row if the lease is taken, none while another sweep holds it."""

FINISH_DUTY: Final = """
UPDATE janitor_state SET cursor = ?3, ran_ms = ?4, outcome = ?5, lease_until_ms = NULL
WHERE duty = ?1 AND lease_until_ms = ?2
"""
"""The lease is the token: who lost it to a later sweep does not overwrite what that one remembers."""

DUTIES: Final = "SELECT duty, cursor, ran_ms, outcome FROM janitor_state ORDER BY duty"
