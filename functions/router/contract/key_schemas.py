"""JSON Schemas of API keys. Format: `docs/formats/keys.md`."""

from typing import Any, Final

from edgeseries.access.grants import Right
from edgeseries.http.parameters import Name
from edgeseries.limits import KEY_MAX_SITES, MAX_OWNER_CHARS
from edgeseries.rates import Tier
from router.contract.schemas import MOMENT, TEXT, listed, maybe, record, ref, words

KEY: Final = record(
    keyId=TEXT,
    owner=TEXT,
    sites=listed(TEXT),
    rights=listed(words(*Right)),
    tier=words(*Tier),
    createdAt=MOMENT,
    revokedAt=maybe(MOMENT),
    usedAt=maybe(MOMENT),
    keyUrl=TEXT,
)
MADE_KEY: Final = record(key=TEXT, **KEY["properties"])
KEYS: Final = record(keys=listed(ref("Key")), cursor=maybe(TEXT))

KEY_REQUEST: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "owner": {"type": "string", "minLength": 1, "maxLength": MAX_OWNER_CHARS, "pattern": "^[ -~]+$"},
        "sites": listed(Name().schema, minItems=1, maxItems=KEY_MAX_SITES),
        "rights": listed(words(*Right), minItems=1),
        "tier": {**words(*Tier), "default": str(Tier.STANDARD)},
    },
    "required": ["owner", "sites", "rights"],
    "additionalProperties": False,
}
"""`["*"]` for sites stands for all, and goes with no other name."""
