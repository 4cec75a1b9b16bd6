"""Prometheus' HTTP API, and VictoriaMetrics' export, over a truth. Page: `docs/origins/prometheus.md`.

Every point with numbers is a series `sample{site="...",point="..."}`. It holds floats alone: a null is NaN, a
boolean or a text is nothing.
"""

import base64
import json
import math
import re
from typing import Any, Final

from local.upstream.truth import Truth
from local.vendors.shape import HeldTruth, Reply, Request

METRIC: Final = "sample"
MATCHER: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
RANGE_SELECTOR: Final = re.compile(r"(\{.*\})\[(\d+)ms\]", re.DOTALL)


def kept(value: Any) -> tuple[Any] | None:
    """What is kept of a value."""
    if value is None:
        return (None,)
    return (float(value),) if isinstance(value, int | float) and not isinstance(value, bool) else None


class PrometheusShape:
    """`export`: whether VictoriaMetrics' export is served. `inclusive_start`: whether range selectors hold
    their start (Prometheus before 3.0). `most_samples`: what a query may load. `warnings`: in every answer.
    """

    def __init__(self, truth: Truth, **knobs: Any) -> None:
        self._held = HeldTruth(truth, kept)
        self.knobs: dict[str, Any] = {
            "export": True,
            "inclusive_start": True,
            "most_samples": 50_000_000,
            "warnings": [],
            "look_alikes": False,
            **knobs,
        }

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape: a bearer token, or the same as a basic password."""
        basic = base64.b64encode(f"user:{token}".encode()).decode()
        return request.headers.get("authorization") in {f"Bearer {token}", f"Basic {basic}"}

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        label = re.fullmatch(r"/api/v1/label/(.+)/values", request.path)
        if label is not None:
            found = {one[label[1]] for one in self._matching(request) if label[1] in one}
            return self._success(sorted(found))
        match request.path:
            case "/api/v1/series":
                return self._success(self._matching(request))
            case "/api/v1/query":
                return self._query(request)
            case "/api/v1/export" if self.knobs["export"]:
                return self._export(request)
        return Reply(status=404, body=b"404 page not found\n", content_type="text/plain")

    def _query(self, request: Request) -> Reply:
        query = request.text("query")
        found = RANGE_SELECTOR.fullmatch(query)
        if query == "vector(1)":
            return self._success({"resultType": "vector", "result": [{"metric": {}, "value": [0, "1"]}]})
        if found is None:
            return _error(400, "bad_data", f"the simulator reads no such query: {query[:100]}")
        end_ms = round(float(request.text("time")) * 1_000)
        start_ms = end_ms - int(found[2]) + (0 if self.knobs["inclusive_start"] else 1)
        result, count = [], 0
        for labels, samples in self._selected(found[1], start_ms, end_ms + 1):
            values = [[at_ms / 1_000, _text(value)] for at_ms, value in samples]
            result.append({"metric": labels, "values": values})
            count += len(values)
        if count > self.knobs["most_samples"]:
            return _error(
                422,
                "execution",
                "query processing would load too many samples into memory in query execution",
            )
        return self._success({"resultType": "matrix", "result": result}, samples=count)

    def _export(self, request: Request) -> Reply:
        start_ms = round(float(request.text("start")) * 1_000)
        end_ms = round(float(request.text("end")) * 1_000)
        lines, count = [], 0
        for chosen in request.texts("match[]"):
            for labels, samples in self._selected(chosen, start_ms, end_ms + 1):
                times, values = [one for one, _ in samples], [value for _, value in samples]
                lines.append(json.dumps({"metric": labels, "values": values, "timestamps": times}))
                count += len(times)
        if count > self.knobs["most_samples"]:
            return _error(422, "422", "cannot select more than -search.maxSamplesPerQuery samples")
        body = "".join(f"{line}\n" for line in lines).encode()
        return Reply(body=body, content_type="application/stream+json", samples=count)

    def _series(self) -> list[dict[str, str]]:
        found = [
            {"__name__": METRIC, "site": site, "point": point}
            for site in self._held.sites()
            for point in self._held.points(site)
        ]
        if self.knobs["look_alikes"]:
            found += [{**labels, "replica": "b"} for labels in found]
        return found

    def _matching(self, request: Request) -> list[dict[str, str]]:
        chosen = request.texts("match[]")
        return [one for one in self._series() if not chosen or any(is_match(one, each) for each in chosen)]

    def _selected(self, chosen: str, start_ms: int, end_ms: int) -> Any:
        for labels in self._series():
            if is_match(labels, chosen):
                samples = self._held.within(labels["site"], labels["point"], start_ms, end_ms)
                if samples:
                    yield labels, samples

    def _success(self, data: Any, *, samples: int = 0) -> Reply:
        document = {"status": "success", "data": data}
        if self.knobs["warnings"]:
            document["warnings"] = self.knobs["warnings"]
        return Reply(body=json.dumps(document).encode(), samples=samples)


def _error(status: int, kind: str, text: str) -> Reply:
    body = json.dumps({"status": "error", "errorType": kind, "error": text})
    return Reply(status=status, body=body.encode())


def _text(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "NaN"
    return repr(value)


def is_match(labels: dict[str, str], chosen: str) -> bool:
    """Whether labels meet a selector in braces."""
    inside, place = chosen.removeprefix("{").removesuffix("}"), 0
    while place < len(inside):
        found = MATCHER.match(inside, place)
        if found is None:
            raise ValueError(f"the simulator reads no such selector: {chosen}")
        place = found.end()
        wanted = re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), found[3])
        value = labels.get(found[1], "")
        fits = {
            "=": value == wanted,
            "!=": value != wanted,
            "=~": bool(re.fullmatch(wanted, value)) if found[2] == "=~" else False,
        }
        if not fits[found[2]]:
            return False
    return True
