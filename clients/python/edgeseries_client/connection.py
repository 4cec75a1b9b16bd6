"""Where the server is and who asks; flows run over httpx, blocking or not.

The only module that waits and that knows the HTTP library.
"""

import asyncio
import os
import time
from typing import Any, Final, Generic, TypeVar

import httpx

from edgeseries_client.errors import ConnectionFault
from edgeseries_client.progress import Bar, Progress, bar_of
from edgeseries_client.retrying import RetryPolicy
from edgeseries_client.steps import Answer, Call, Flow, Step, Stream, Tell, Wait

T = TypeVar("T")

URL_VARIABLE: Final = "EDGESERIES_URL"
KEY_VARIABLE: Final = "EDGESERIES_KEY"
DEFAULT_URL: Final = "http://127.0.0.1:8787"
"""Where `make dev` serves."""

TIMEOUT_S: Final = 120.0
"""Silence that counts as a broken connection; longer than the server takes for any answer."""


def settings(url: str | None, key: str | None, timeout_s: float) -> dict[str, Any]:
    """What an HTTP client is made with. A key goes into a header, never into a URL."""
    chosen = key or os.environ.get(KEY_VARIABLE)
    headers = {"User-Agent": "edgeseries-client/0.1.0"}
    if chosen:
        headers["Authorization"] = f"Bearer {chosen}"
    return {
        "base_url": url or os.environ.get(URL_VARIABLE) or DEFAULT_URL,
        "headers": headers,
        "timeout": timeout_s,
    }


class _Run(Generic[T]):
    """A flow under way: the next step, given what the last one brought."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._fault: ConnectionFault | None = None
        self.result: T

    def step(self, reply: Answer | ConnectionFault | None) -> Step | None:
        """The next step, or None when `result` is there."""
        try:
            if isinstance(reply, ConnectionFault):
                return self._flow.throw(reply)
            return self._flow.send(reply)
        except StopIteration as end:
            self.result = end.value
            return None


def _words(call: Call) -> dict[str, Any]:
    body = {} if call.json is None else {"json": call.json}
    return {"params": list(call.query), "headers": dict(call.headers), **body}


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = {name.lower(): text for name, text in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=body)


def _broken(error: httpx.RequestError) -> ConnectionFault:
    url = error.request.url.copy_with(query=None)
    fault = ConnectionFault(f"{url}: {error or type(error).__name__}")
    fault.__cause__ = error
    return fault


class Connection:
    """Runs flows and blocks. `http` is a client of httpx to use in place of an own one."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        policy: RetryPolicy | None = None,
        progress: Progress = "auto",
        timeout_s: float = TIMEOUT_S,
        http: httpx.Client | None = None,
    ) -> None:
        self.http = http or httpx.Client(**settings(url, key, timeout_s))
        self.policy = policy or RetryPolicy()
        self._progress = progress

    def run(self, flow: Flow[T]) -> T:
        """The result of a flow. Raises what the flow raises."""
        running = _Run(flow)
        bar = bar_of(self._progress)
        try:
            reply: Answer | ConnectionFault | None = None
            while (step := running.step(reply)) is not None:
                reply = self._done(step, bar)
            return running.result
        finally:
            bar.close()

    def _done(self, step: Step, bar: Bar) -> Answer | ConnectionFault | None:
        try:
            match step:
                case Call():
                    response = self.http.request(step.method, step.path, **_words(step))
                    return _answer(response, response.content)
                case Stream():
                    return self._streamed(step)
                case Wait():
                    time.sleep(step.seconds)
                case Tell():
                    bar.show(step.job)
        except httpx.RequestError as error:
            return _broken(error)
        return None

    def _streamed(self, step: Stream) -> Answer:
        with self.http.stream(step.call.method, step.call.path, **_words(step.call)) as response:
            if response.status_code != httpx.codes.OK:
                return _answer(response, response.read())
            answer = _answer(response, b"")
            step.sink.begin(answer.headers)
            for chunk in response.iter_bytes():
                step.sink.write(chunk)
            return answer


class AsyncConnection:
    """Runs flows without blocking. `http` is a client of httpx to use in place of an own one."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        policy: RetryPolicy | None = None,
        progress: Progress = "auto",
        timeout_s: float = TIMEOUT_S,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.http = http or httpx.AsyncClient(**settings(url, key, timeout_s))
        self.policy = policy or RetryPolicy()
        self._progress = progress

    async def run(self, flow: Flow[T]) -> T:
        """The result of a flow. Raises what the flow raises."""
        running = _Run(flow)
        bar = bar_of(self._progress)
        try:
            reply: Answer | ConnectionFault | None = None
            while (step := running.step(reply)) is not None:
                reply = await self._done(step, bar)
            return running.result
        finally:
            bar.close()

    async def _done(self, step: Step, bar: Bar) -> Answer | ConnectionFault | None:
        try:
            match step:
                case Call():
                    response = await self.http.request(step.method, step.path, **_words(step))
                    return _answer(response, response.content)
                case Stream():
                    return await self._streamed(step)
                case Wait():
                    await asyncio.sleep(step.seconds)
                case Tell():
                    bar.show(step.job)
        except httpx.RequestError as error:
            return _broken(error)
        return None

    async def _streamed(self, step: Stream) -> Answer:
        async with self.http.stream(step.call.method, step.call.path, **_words(step.call)) as response:
            if response.status_code != httpx.codes.OK:
                return _answer(response, await response.aread())
            answer = _answer(response, b"")
            step.sink.begin(answer.headers)
            async for chunk in response.aiter_bytes():
                step.sink.write(chunk)
            return answer
