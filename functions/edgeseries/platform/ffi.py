"""Between JavaScript and Python: the one file that converts.

null and undefined become None; numbers, texts and bytes are checked; what is not known is
refused. Adapters and entries call the platform's objects; what comes out is converted here.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, jsnull, to_js
from workers import import_from_javascript, python_to_rpc

from edgeseries.errors import DeadlineExceeded, Defect
from edgeseries.series.timerange import instant_ms

DEADLINE_ERROR_NAMES = frozenset({"TimeoutError", "AbortError"})

LATE_ERROR_NAME = "Late"
"""What `in_time.mjs` throws when time is up."""


def js_object(fields: Mapping[str, Any] | list[Any]) -> Any:
    """A plain JavaScript object (not a Map) of a mapping, an array of a list; nested ones too."""
    return to_js(fields, dict_converter=js.Object.fromEntries)


def js_references(**fields: Any) -> Any:
    """A plain JavaScript object whose fields are the platform's own objects, texts, or null for None."""
    made = js.Object.new()
    for name, value in fields.items():
        setattr(made, name, jsnull if value is None else value)
    return made


def js_plain(value: Any) -> Any:
    """A JavaScript value of what JSON can hold: by far faster than `js_object`, which looks at each part.

    Raises ValueError for a number that is none, or without an end.
    """
    return js.JSON.parse(json.dumps(value, allow_nan=False))


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
    """An integer that JavaScript holds exactly. Raises Defect for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > js.Number.MAX_SAFE_INTEGER:
        raise Defect(f"{what} is no whole number")
    return value


def raw(binding: Any) -> Any:
    """The platform's own object behind the SDK's wrapper of a binding, or the object itself."""
    return binding if isinstance(binding, JsProxy) else python_to_rpc(binding)


def raw_env() -> Any:
    """The running event's bindings, each as the platform's own object.

    The SDK's view of them is the entry's `self.env`. It examines every binding that is read, and
    converts each argument and result of a call by what they might be: a millisecond a request.
    """
    return import_from_javascript("cloudflare:workers").env


def is_deadline(error: JsException) -> bool:
    """Whether a JavaScript exception stands for a timeout or an abort."""
    return getattr(error, "name", "") in DEADLINE_ERROR_NAMES


def present(value: Any) -> Any:
    """The value, or None where JavaScript has null or undefined."""
    return None if value is None or value is jsnull else value


def text_pairs(record: Any) -> dict[str, str]:
    """A plain JavaScript object of texts as a dict; none of it where there is no object."""
    found = present(record)
    return (
        {} if found is None else {str(name): str(value) for name, value in js.Object.entries(found).to_py()}
    )


def plain_json(value: Any) -> Any:
    """A JavaScript value that JSON can hold, as Python: by far faster than one by one."""
    return json.loads(js.JSON.stringify(value))


def instant_of(moment: Any) -> int:
    """UTC epoch milliseconds of a Date. Pyodide may have made a datetime of it already."""
    if isinstance(moment, datetime):
        return instant_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return whole_number(moment.getTime(), "a time")


async def in_time(promise: Any, timeout_ms: int, what: str) -> Any:
    """The result of a JavaScript promise within `timeout_ms`, else DeadlineExceeded."""
    return await _result(_timing().race(promise, timeout_ms), timeout_ms, what)


async def call_in_time(target: Any, verb: str, *values: Any, timeout_ms: int, what: str) -> Any:
    """What a method of a JavaScript object promises, within `timeout_ms`, else DeadlineExceeded.

    JavaScript makes the call: the promise in between, which `in_time` is handed, costs a tenth of a
    millisecond, and a cached answer leaves in three.
    """
    return await _result(_timing().call(target, verb, timeout_ms, *values), timeout_ms, what)


async def _result(raced: Any, timeout_ms: int, what: str) -> Any:
    try:
        return present(await raced)
    except JsException as error:
        if getattr(error, "name", "") == LATE_ERROR_NAME:
            raise DeadlineExceeded(f"{what} did not answer within {timeout_ms} ms") from None
        raise


@cache
def _timing() -> Any:
    """The module beside this file. Imported in the isolate's first event: it needs a running one."""
    return import_from_javascript("./in_time.mjs")
