"""Which test file runs when, and in which shard: by how long it takes.

Owns the table of durations and what is made of it. Must not know what a test does. A duration that is out of
date costs time and nothing else: every file is in exactly one shard, whether the table has it or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

SHORT_S: Final = 1.0
"""A file that the table does not have."""

LONG_S: Final[Mapping[str, int]] = {
    "tests/runtime/test_contract.py": 70,
    "tests/runtime/test_jobs_kills.py": 64,
    "tests/runtime/test_dev_upstream.py": 63,
    "tests/runtime/test_console.py": 60,
    "tests/runtime/test_hostile.py": 60,
    "tests/runtime/test_jobs_faults.py": 60,
    "tests/runtime/test_several_origins.py": 59,
    "tests/runtime/test_dev.py": 54,
    "tests/runtime/test_host_boot.py": 52,
    "tests/runtime/test_soak.py": 52,
    "tests/runtime/test_upkeep.py": 52,
    "tests/runtime/test_formats.py": 45,
    "tests/runtime/test_protection.py": 43,
    "tests/runtime/test_kernel_off.py": 37,
    "tests/runtime/test_large_file.py": 36,
    "tests/runtime/test_jobs_races.py": 35,
    "tests/runtime/test_vendor_oracle.py": 35,
    "tests/runtime/test_questions.py": 34,
    "tests/runtime/test_stores.py": 34,
    "tests/property/test_interleavings.py": 18,
    "tests/runtime/test_router_oracle.py": 33,
    "tests/runtime/test_pages.py": 32,
    "tests/runtime/test_router_counts.py": 32,
    "tests/runtime/test_jobs_large.py": 31,
    "tests/runtime/test_demo.py": 30,
    "tests/runtime/test_wrangler.py": 29,
    "tests/runtime/test_job_sockets.py": 27,
    "tests/runtime/test_first_contact.py": 25,
    "tests/runtime/test_jobs_http.py": 23,
    "tests/infra/test_cloud.py": 10,
    "tests/runtime/test_job_streams.py": 22,
    "tests/unit/test_router_sealing.py": 22,
    "tests/runtime/test_kernel.py": 21,
    "tests/runtime/test_router_http.py": 18,
    "tests/runtime/test_guides.py": 17,
    "tests/runtime/test_host_limits.py": 17,
    "tests/runtime/test_answer_store.py": 16,
    "tests/runtime/test_hostile_upstream.py": 15,
    "tests/infra/test_delivery.py": 7,
    "tests/runtime/test_latest.py": 14,
    "tests/property/test_year_block_properties.py": 18,
    "tests/property/test_live_properties.py": 12,
    "tests/property/test_result_properties.py": 12,
    "tests/runtime/test_host_events.py": 12,
    "tests/runtime/test_jobs_database.py": 11,
    "tests/infra/test_delivery_refusals.py": 6,
    "tests/property/test_arrow_properties.py": 10,
    "tests/infra/test_program.py": 9,
    "tests/property/test_block_properties.py": 9,
    "tests/tidy/test_commands.py": 8,
    "tests/runtime/test_block_versions.py": 7,
    "tests/kernel/test_kernel_decoding.py": 6,
    "tests/runtime/test_router_cached.py": 6,
    "tests/tidy/test_schedule.py": 6,
    "tests/unit/test_block.py": 6,
    "tests/unit/test_job_trouble.py": 6,
    "tests/runtime/test_router_live.py": 5,
    "tests/unit/test_router_counts.py": 5,
    "tests/kernel/test_kernel_columns.py": 4,
    "tests/property/test_cached_route.py": 4,
    "tests/property/test_job_properties.py": 4,
    "tests/property/test_planning_properties.py": 4,
    "tests/runtime/test_overtaken.py": 4,
    "tests/contract/test_origin.py": 3,
    "tests/infra/test_programs.py": 3,
    "tests/infra/test_rollout.py": 3,
    "tests/kernel/test_kernel_text.py": 3,
    "tests/property/test_stored_properties.py": 3,
    "tests/runtime/test_job_files.py": 3,
    "tests/runtime/test_smoke.py": 3,
    "tests/infra/test_dynamic.py": 2,
    "tests/infra/test_secrets.py": 2,
    "tests/property/test_job_values.py": 2,
    "tests/unit/test_soak.py": 2,
}
"""About how many seconds the tests of a file take, with what they start: a run on a busy machine of two cores
(2026-12-01), divided by how busy it was. Only what is more and what is less matters.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of `count` parts of all test files, from 1."""

    index: int
    count: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """`2/4`; raises ValueError for what is no part of a whole."""
        index, slash, count = text.partition("/")
        if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
            raise ValueError(f"a shard is written 1/4, 2/4, 3/4 or 4/4, not {text!r}")
        return cls(index=int(index), count=int(count))

    def of(self, files: Iterable[str]) -> frozenset[str]:
        """The files of this shard: each goes, longest first, to the shard that has the least to do."""
        shards: list[tuple[float, list[str]]] = [(0.0, []) for _ in range(self.count)]
        for file in longest_first(files):
            place = min(range(self.count), key=lambda place: (shards[place][0], place))
            seconds, taken = shards[place]
            shards[place] = (seconds + seconds_of(file), [*taken, file])
        return frozenset(shards[self.index - 1][1])


def seconds_of(file: str) -> float:
    """How long the tests of a file take, by its path from the root."""
    return LONG_S.get(file, SHORT_S)


def longest_first(files: Iterable[str]) -> tuple[str, ...]:
    """Each file once. What takes longest is not left for the end, where others would wait for it."""
    return tuple(sorted(set(files), key=lambda file: (-seconds_of(file), file)))
