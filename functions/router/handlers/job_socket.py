"""`/api/jobs/{job}/socket`: the job's events over a WebSocket (RFC 6455), message for message what
`job_events.py` streams.

For pages: a browser opens six connections to a host over HTTP/1.1, which sockets do not count among, and has
no way to send a header with them. So a key comes as a subprotocol (`router/authorize.py`), and since no CORS
is asked of sockets, the page's origin is looked at here.
"""

from typing import Final
from urllib.parse import urlsplit

from edgeseries.access.grants import CorsPolicy
from edgeseries.access.keys import SOCKET_PROTOCOL
from edgeseries.errors import BadRequest
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.job import Job
from router.endpoint import Arrival
from router.handlers.job_events import events, take_slot
from router.outcome import Outcome
from router.ports import Ports

SWITCHING: Final = 101


def socket_outcome(job: Job, arrival: Arrival, ports: Ports) -> Outcome:
    """The socket. Raises BadRequest for a request that asks for none, or a page that may not read answers;
    RateLimited for too many streams.
    """
    headers = arrival.request.headers
    if headers.get("upgrade", "").lower() != "websocket":
        raise BadRequest("this is a WebSocket; without one take /api/jobs/{job}/events")
    if not may_read(ports.access.cors, headers.get("origin"), headers.get("host", "")):
        raise BadRequest("pages of this origin may not read answers (setting corsOrigins)")
    slot = take_slot(arrival, ports)
    stream = ports.streaming.stream(events(job, "", slot, arrival.grant, ports))
    offered = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    chosen = {"Sec-WebSocket-Protocol": SOCKET_PROTOCOL} if SOCKET_PROTOCOL in offered else {}
    return Outcome(response=HttpResponse(status=SWITCHING, headers=chosen, stream=stream))


def may_read(policy: CorsPolicy, origin: str | None, host: str) -> bool:
    """Whether a page of an origin (None: no page) may read answers here: the host's own pages may."""
    if policy.origins is None or origin is None or origin in policy.origins:
        return True
    return urlsplit(origin).netloc == host
