"""Dynamic: the two resources that the Cloudflare provider has not, run by Pulumi's own Python plugin.

Owns when they change. What they do is in `stack.database` and `stack.emptying`. The plugin loads this
module by its name with the program's folder as its working folder, so a provider carries nothing: no token,
no path, no code. Whatever a call needs is in the resource's inputs, except the token (`stack.account`).
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pulumi
from cloudflare import APIError
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from stack import account, database, emptying
from stack.schema import Migration, SchemaFault

TRACEBACK_LINES: Final = 1_000
"""How much of a traceback is told of what nobody expected: all of it (the default of Python)."""


@contextmanager
def _plainly() -> Iterator[None]:
    """Have the plugin tell a fault by its sentence.

    Pulumi's plugin answers with the traceback of whatever is raised, which for a fault that says all there is
    to say puts thirty lines before it. How many lines is a setting of the interpreter, and the plugin is a
    process of its own.
    """
    sys.tracebacklimit = TRACEBACK_LINES
    try:
        yield
    except (SchemaFault, account.AccountFault) as fault:
        sys.tracebacklimit = 0
        raise type(fault)(str(fault)) from None
    except APIError as error:
        sys.tracebacklimit = 0
        raise account.AccountFault(f"Cloudflare's API: {error}") from None


class _WithAccount(ResourceProvider):
    """A provider that may ask the account."""

    _provider_token: str | None = None

    def configure(self, req: ConfigureRequest) -> None:
        """Called by the plugin once, before anything else."""
        self._provider_token = req.config.get(account.PROVIDER_TOKEN_KEY)


class SchemaProvider(_WithAccount):
    """Applies migrations when the database is made and whenever their digest changes."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Apply everything that is missing."""
        with _plainly():
            self._apply(props)
        return CreateResult(id_=str(props["databaseId"]), outs=dict(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """A change of the digest is an update; another database is another resource."""
        moved = [key for key in ("accountId", "databaseId") if _olds.get(key) != _news.get(key)]
        changed = bool(moved) or _olds.get("digest") != _news.get("digest")
        return DiffResult(changes=changed, replaces=moved)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Apply everything that is missing."""
        with _plainly():
            self._apply(_news)
        return UpdateResult(outs=dict(_news))

    def _apply(self, props: Mapping[str, Any]) -> None:
        database.apply(
            account.connect(self._provider_token),
            account_id=props["accountId"],
            database_id=props["databaseId"],
            migrations=[
                Migration(version=int(one["version"]), name=one["name"], text=one["sql"])
                for one in props["migrations"]
            ],
        )


class Schema(Resource, module="edgeseries", name="Schema"):
    """The schema of one database. It goes with the database; destroying it does nothing."""

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        database_id: pulumi.Input[str],
        migrations: tuple[Migration, ...],
        digest: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "accountId": account_id,
            "databaseId": database_id,
            "digest": digest,
            "schemaVersion": migrations[-1].version,
            "migrations": [{"version": one.version, "name": one.name, "sql": one.text} for one in migrations],
        }
        super().__init__(SchemaProvider(), name, props, opts)


class EmptiedBucketProvider(_WithAccount):
    """Empties a bucket when the resource goes, and does nothing before."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing to do yet."""
        return CreateResult(id_=str(props["bucketName"]), outs=dict(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Replacing means deleting, and deleting empties: only another bucket is another resource."""
        moved = [key for key in ("accountId", "bucketName") if _olds.get(key) != _news.get(key)]
        return DiffResult(changes=bool(moved), replaces=moved)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete every object."""
        with _plainly():
            emptying.empty(
                account.connect(self._provider_token),
                account_id=_props["accountId"],
                bucket_name=_props["bucketName"],
            )


class EmptiedBucket(Resource, module="edgeseries", name="EmptiedBucket"):
    """A bucket that is emptied before it is destroyed: the platform deletes none with objects in it.

    For previews alone. Whoever took this resource out of the program of a live stack would empty its bucket,
    and a preview's name, which decides, never changes.
    """

    def __init__(
        self,
        name: str,
        *,
        account_id: pulumi.Input[str],
        bucket_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"accountId": account_id, "bucketName": bucket_name}
        super().__init__(EmptiedBucketProvider(), name, props, opts)
