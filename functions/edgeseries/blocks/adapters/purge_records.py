"""What stands in the bucket of a purge, so that the index can be made again without reviving anything.

Format: `docs/formats/storage.md`. A database that was lost has forgotten its generations; the
records hold them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from edgeseries.series.json_text import json_text
from edgeseries.storage.bucket import Bucket
from edgeseries.storage.object_keys import purge_key


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRecord:
    """A purge: of which points of a site (None: all), and the highest generation that it made."""

    site: str
    points: Sequence[str] | None
    generation: int


async def put_record(bucket: Bucket, record: PurgeRecord) -> None:
    """Write the record of a purge."""
    document = {"site": record.site, "points": record.points, "generation": record.generation}
    content = json_text(document).encode()
    await bucket.put(purge_key(record.site, record.generation), content, {})


def record_of(content: bytes) -> PurgeRecord | None:
    """The record that an object holds, or None if it is none of ours."""
    try:
        document = json.loads(content)
        site, points, generation = document["site"], document["points"], document["generation"]
    except (ValueError, KeyError, TypeError):
        return None
    named = points is None or (isinstance(points, list) and all(isinstance(one, str) for one in points))
    if not (isinstance(site, str) and named and isinstance(generation, int)):
        return None
    return PurgeRecord(site=site, points=points, generation=generation)
