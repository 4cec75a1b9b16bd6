"""One endpoint: everything that is known of one method of one path, in one record.

Routing, rights, the check of what is sent, and `/api/openapi.json` are made from it. Each handler file
declares its endpoints beside their code; `router/endpoints.py` collects them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edgeseries.access.grants import Grant, Right
from edgeseries.http.messages import HttpRequest
from edgeseries.http.parameters import Parameter, Schema
from router.contract.answers import Answer, Problems
from router.outcome import Outcome
from router.ports import Ports


class Scope(StrEnum):
    """How an endpoint is kept to what its caller may see."""

    SITE = "the request names a site, which the key must be of"
    SITES = "a list that holds only the key's sites"
    JOBS = "only the key's own jobs; all of them for an admin"
    SETS = "only the key's own saved sets; all of them for an admin"
    NOTHING = "it says nothing of any site or job"
    EVERYTHING = "it is about all sites; only admins come here"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Endpoint:
    """One method of one path. `{name}` in the pattern stands for one segment, and is declared in
    `contract/parameters.py`. HEAD is served where GET is.

    `name` is the operation's id and `summary` its text for API users. `right` is what a key needs; None asks
    for no key. `problems` come on top of those that every endpoint has. Endpoints are compared by identity.
    """

    method: str
    pattern: str
    name: str
    summary: str
    right: Right | None
    scope: Scope
    handler: "Handler"
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    problems: Problems = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A whole request at its endpoint, path parameters decoded; `deadline_ms` is UTC epoch ms. `grant` is
    what its caller may do and see.
    """

    request: HttpRequest
    endpoint: Endpoint
    grant: Grant
    path_parameters: Mapping[str, str]
    deadline_ms: int


Handler = Callable[[Arrival, Ports], Awaitable[Outcome]]
