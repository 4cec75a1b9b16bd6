"""Emptying: delete every object of an R2 bucket, through Cloudflare's API.

Used for previews that go away. Must not know Pulumi.
"""

from typing import Final
from urllib.parse import quote

from cloudflare import Cloudflare, NotFoundError

LIST_OBJECTS: Final = 1_000
"""Objects of one listing: the most that R2 gives."""


def empty(client: Cloudflare, *, account_id: str, bucket_name: str) -> int:
    """Delete all objects and return how many there were; a bucket that is gone has none."""
    deleted_count = 0
    while True:
        # Listed anew each time, since a cursor into what is being deleted is worth nothing.
        try:
            page = client.r2.buckets.objects.list(bucket_name, account_id=account_id, per_page=LIST_OBJECTS)
        except NotFoundError:
            return deleted_count
        keys = [found.key for found in page.result or () if found.key]
        if not keys:
            return deleted_count
        for key in keys:
            # The SDK's own method would encode the slashes of a key, which the API wants as they are.
            path = f"/accounts/{account_id}/r2/buckets/{bucket_name}/objects/{quote(key, safe='/')}"
            client.delete(path, cast_to=object)
        deleted_count += len(keys)
