"""Between JavaScript and Python: the one file that converts.

null and undefined become None; numbers, texts and bytes are checked; what is not known is
refused. Nothing else in the project looks inside a JavaScript object.
"""

from collections.abc import Mapping
from typing import Any

import js
from pyodide.ffi import JsException, to_js
from workers import python_to_rpc

from edgeseries.core.errors import DeadlineExceeded, Defect

DEADLINE_ERROR_NAMES = frozenset({"TimeoutError", "AbortError"})


def js_object(fields: Mapping[str, Any]) -> Any:
    """A plain JavaScript object (not a Map) of a mapping, nested ones too."""
    return to_js(fields, dict_converter=js.Object.fromEntries)


def js_bytes(data: bytes) -> Any:
    """A Uint8Array of its own: later changes on either side are not seen on the other."""
    return to_js(data)


def python_bytes(view: Any) -> bytes:
    """The bytes of an ArrayBuffer or typed array, as `bytes` (which stores take fast)."""
    return bytes(view.to_bytes())


def header_pairs(headers: Any) -> dict[str, str]:
    """A Headers object as a dict; the platform gives names in lower case."""
    return {str(name): str(value) for name, value in js.Array.from_(headers).to_py()}


def whole_number(value: Any, what: str) -> int:
    """An integer that JavaScript holds exactly; anything else is refused."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > js.Number.MAX_SAFE_INTEGER:
        raise Defect(f"{what} is no whole number")
    return value


def raw(binding: Any) -> Any:
    """The platform's own object behind the SDK's wrapper of a binding."""
    return python_to_rpc(binding)


def is_deadline(error: JsException) -> bool:
    """Whether a JavaScript exception tells of a timeout or an abort."""
    return getattr(error, "name", "") in DEADLINE_ERROR_NAMES


async def in_time(promise: Any, timeout_ms: int, what: str) -> Any:
    """The result of a JavaScript promise within `timeout_ms`, else DeadlineExceeded.

    The promise must not resolve to undefined: that is what the timer resolves to. JavaScript
    runs the race, so that no asyncio task is left pending when time is up; one such task
    spoils every later event of the isolate.
    """
    result = await js.Promise.race(to_js([promise, js.scheduler.wait(timeout_ms)]))
    if result is None:
        raise DeadlineExceeded(f"{what} did not answer within {timeout_ms} ms")
    return result
