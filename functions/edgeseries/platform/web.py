"""The Web port with the platform's fetch."""

from collections import Counter
from typing import Any

import js
from pyodide.ffi import JsException

from edgeseries.errors import DeadlineExceeded, OriginOversize, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.platform.exchange import bounded_body
from edgeseries.platform.ffi import header_pairs, is_deadline, js_bytes, js_object


class PlatformWeb:
    """Calls through `fetch`, without following redirects, each with its own deadline. `meter` counts them."""

    def __init__(self, meter: Counter[str] | None = None) -> None:
        self._meter: Counter[str] = Counter() if meter is None else meter

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port. The deadline covers the whole body, not only the head."""
        self._meter["upstream_calls"] += 1
        options: dict[str, Any] = {
            "method": call.method,
            "headers": dict(call.headers),
            "redirect": "manual",
            "signal": js.AbortSignal.timeout(call.timeout_ms),
        }
        if call.body is not None:
            options["body"] = js_bytes(call.body)
        try:
            response = await js.fetch(call.url, js_object(options))
            body = await bounded_body(response.body, call.max_bytes) if response.body else b""
        except JsException as error:
            if is_deadline(error):
                raise DeadlineExceeded(f"the upstream did not answer within {call.timeout_ms} ms") from error
            raise OriginUnreachable("the connection to the upstream failed or broke; try again") from error
        if body is None:
            raise OriginOversize(
                f"the upstream's answer is larger than {call.max_bytes} bytes; ask for a shorter range"
            )
        return HttpReply(status=int(response.status), headers=header_pairs(response.headers), body=body)
