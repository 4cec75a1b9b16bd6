"""The smoke test holds against the running stack, and tells a stack that is not well."""

from datetime import UTC, datetime

import httpx
import pytest

from delivery.smoke import SmokeSession, main, run
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import TIMEOUT_S, Running

pytestmark = pytest.mark.runtime

WORDS = ["--site", "opengrid_minute", "--point", "water_2923", "--day", "2015-03-02"]


def test_it_holds(running: Running, capfd: pytest.CaptureFixture[str]) -> None:
    status = main(["--url", running.stack.url, *WORDS])
    told = capfd.readouterr().out
    assert status == 0, told
    assert "FAIL" not in told
    assert "queued route" in told
    assert "1440 samples, then a hit, then 304" in told


def test_a_failing_upstream_is_told(running: Running, capfd: pytest.CaptureFixture[str]) -> None:
    # What other tests have stored would be answered all the same.
    running.client.delete("/api/cache", params={"site": "opengrid_minute"}).raise_for_status()
    running.upstream(rate_500=1)
    with httpx.Client(
        base_url=running.stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
    ) as client:
        day = datetime(2015, 3, 3, tzinfo=UTC)
        talk = SmokeSession(client=client, day=day, patience_s=1, site="opengrid_minute", point="water_2923")
        assert not run(talk)
    told = capfd.readouterr().out
    assert "FAIL direct route" in told
