"""The ports of jobs and of warming over D1 on workerd: the very suites that they pass over SQLite."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from edgeseries.storage.database import Command, Row
from tests.job_conformance import JobPortsConformance
from tests.runtime.jobs_stack import DATABASE_PATH, Jobs
from tests.warming_conformance import WarmingPortsConformance

pytestmark = pytest.mark.runtime


@dataclass
class RemoteDatabase:
    """The Database protocol over the script beside the stack's Workers."""

    client: httpx.Client

    async def read(self, command: Command) -> list[Row]:
        (rows,) = await self._ask("read", [command])
        return rows

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        return await self._ask("write", commands)

    async def _ask(self, verb: str, commands: Sequence[Command]) -> list[list[Row]]:
        body = {
            "verb": verb,
            "commands": [{"sql": one.sql, "parameters": list(one.parameters)} for one in commands],
        }
        # In a thread, so that what a test does at once is at once.
        response = await asyncio.to_thread(self.client.post, DATABASE_PATH, json=body)
        assert response.status_code == 200, response.text[:500]
        found: list[list[Any]] = response.json()
        return [[tuple(row) for row in rows] for rows in found]


class TestOverD1(JobPortsConformance):
    @pytest.fixture
    def database(self, jobs_stack: Jobs) -> RemoteDatabase:
        return RemoteDatabase(jobs_stack.client)


class TestWarmingOverD1(WarmingPortsConformance):
    @pytest.fixture
    def database(self, jobs_stack: Jobs) -> RemoteDatabase:
        return RemoteDatabase(jobs_stack.client)
