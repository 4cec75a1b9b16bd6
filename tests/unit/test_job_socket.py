"""Who may open the socket of a job, and how a key comes with one."""

import pytest

from edgeseries.access.grants import CorsPolicy
from edgeseries.access.keys import presented_key, socket_authorization
from router.handlers.job_socket import may_read

ANY, SOME, NONE = (
    CorsPolicy(),
    CorsPolicy(origins=frozenset({"https://a.test"})),
    CorsPolicy(origins=frozenset()),
)
KEY = f"es_{'0' * 12}_{'f' * 64}"


@pytest.mark.parametrize(
    ("policy", "origin", "may"),
    [
        (ANY, "https://b.test", True),
        (SOME, "https://a.test", True),
        (SOME, "https://b.test", False),
        (SOME, None, True),
        (SOME, "https://here.test", True),
        (NONE, "https://here.test", True),
        (NONE, "https://here.test.evil.test", False),
        (NONE, "null", False),
    ],
)
def test_pages_of_other_origins_need_leave(policy: CorsPolicy, origin: str | None, *, may: bool) -> None:
    assert may_read(policy, origin, "here.test") is may


@pytest.mark.parametrize(
    ("protocols", "found"),
    [
        (f"edgeseries, key.{KEY}", True),
        (f"key.{KEY}", True),
        ("edgeseries", False),
        ("", False),
        (KEY, False),
    ],
)
def test_a_key_is_a_subprotocol(protocols: str, *, found: bool) -> None:
    authorization = socket_authorization(protocols)
    assert (authorization is not None) is found
    assert authorization is None or presented_key(authorization) is not None
