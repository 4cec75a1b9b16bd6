"""SQL of API keys. Table: `schema.sql`. An empty text stands for NULL (see `job_statements.py`)."""

from typing import Final

_COLUMNS: Final = "key_id, secret_hash, owner, sites_json, rights_json, tier, created_ms, revoked_ms, used_ms"

KEY: Final = f"SELECT {_COLUMNS} FROM api_keys WHERE key_id = ?1"

KEYS: Final = f"SELECT {_COLUMNS} FROM api_keys WHERE key_id > ?1 ORDER BY key_id LIMIT ?2"

IN_FORCE: Final = f"SELECT {_COLUMNS} FROM api_keys WHERE revoked_ms IS NULL ORDER BY used_ms DESC LIMIT ?1"
"""The last used first."""

ADD: Final = """
INSERT INTO api_keys (key_id, secret_hash, owner, sites_json, rights_json, tier, created_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING
RETURNING key_id
"""

REVOKE: Final = "UPDATE api_keys SET revoked_ms = ?2 WHERE key_id = ?1 AND revoked_ms IS NULL"
