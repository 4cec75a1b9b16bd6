"""Storage: the R2 bucket with its lifecycle rules, and the D1 database.

Owns how data resources are made and protected. Must not know who reads or writes them.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare

from stack.components.dynamic import EmptiedBucket, Schema
from stack.schema import Migration

ANSWERS_PREFIX: Final = "answers/"
BLOCKS_PREFIX: Final = "blocks/"
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec:
    """What to store where. Ages are counted from an object's last write.

    `emptied` is for stacks that go away, and never changes for a stack (`EmptiedBucket` says why).
    """

    account_id: str
    bucket_name: str
    database_name: str
    location_hint: str | None
    answer_ttl_days: int
    block_ttl_days: int
    abort_multipart_days: int
    protect: bool
    emptied: bool
    migrations: tuple[Migration, ...]
    schema_digest: str


class Storage(pulumi.ComponentResource):
    """The bucket and the database of one stack, the database with its schema.

    `ready` is what has to be there before code that reads and writes.
    """

    def __init__(self, name: str, spec: StorageSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgeseries:stack:Storage", name, None, opts)
        # A hint counts only when the resource is made, and the platform may report another
        # place afterwards. Following that would mean to replace the data.
        self.bucket = cloudflare.R2Bucket(
            "cache",
            account_id=spec.account_id,
            name=spec.bucket_name,
            location=spec.location_hint,
            opts=pulumi.ResourceOptions(parent=self, protect=spec.protect, ignore_changes=["location"]),
        )
        self.database = cloudflare.D1Database(
            "db",
            account_id=spec.account_id,
            name=spec.database_name,
            primary_location_hint=spec.location_hint,
            # The platform always tells it: left out, every refresh would be followed by a change.
            read_replication=cloudflare.D1DatabaseReadReplicationArgs(mode="disabled"),
            opts=pulumi.ResourceOptions(
                parent=self, protect=spec.protect, ignore_changes=["primaryLocationHint"]
            ),
        )
        self.schema = Schema(
            "db",
            account_id=spec.account_id,
            database_id=self.database.id,
            migrations=spec.migrations,
            digest=spec.schema_digest,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ready: list[pulumi.Resource] = [self.schema]
        if spec.emptied:
            # Destroying goes backwards: the Workers, which write, then this, then the bucket.
            self.ready.append(
                EmptiedBucket(
                    "cache",
                    account_id=spec.account_id,
                    bucket_name=self.bucket.name,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        cloudflare.R2BucketLifecycle(
            "cache",
            account_id=spec.account_id,
            bucket_name=self.bucket.name,
            rules=[
                _expiry("expire-answers", ANSWERS_PREFIX, spec.answer_ttl_days),
                # The janitor keeps the budget; this only removes what it can no longer know of.
                _expiry("expire-forgotten-blocks", BLOCKS_PREFIX, spec.block_ttl_days),
                _abort_multipart("abort-multipart-uploads", spec.abort_multipart_days),
            ],
            opts=pulumi.ResourceOptions(parent=self, protect=spec.protect),
        )
        self.register_outputs({"bucket": self.bucket.name, "database": self.database.name})


def _expiry(rule_id: str, prefix: str, age_days: int) -> cloudflare.R2BucketLifecycleRuleArgs:
    return cloudflare.R2BucketLifecycleRuleArgs(
        id=rule_id,
        enabled=True,
        conditions=cloudflare.R2BucketLifecycleRuleConditionsArgs(prefix=prefix),
        delete_objects_transition=cloudflare.R2BucketLifecycleRuleDeleteObjectsTransitionArgs(
            condition=cloudflare.R2BucketLifecycleRuleDeleteObjectsTransitionConditionArgs(
                type="Age", max_age=age_days * DAY_SECONDS
            ),
        ),
    )


def _abort_multipart(rule_id: str, age_days: int) -> cloudflare.R2BucketLifecycleRuleArgs:
    return cloudflare.R2BucketLifecycleRuleArgs(
        id=rule_id,
        enabled=True,
        conditions=cloudflare.R2BucketLifecycleRuleConditionsArgs(prefix=""),
        abort_multipart_uploads_transition=cloudflare.R2BucketLifecycleRuleAbortMultipartUploadsTransitionArgs(
            condition=cloudflare.R2BucketLifecycleRuleAbortMultipartUploadsTransitionConditionArgs(
                type="Age", max_age=age_days * DAY_SECONDS
            ),
        ),
    )
