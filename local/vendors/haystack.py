"""A Haystack server over a truth: read, hisRead and authentication, in Hayson and Zinc. Page:
`docs/origins/haystack.md`.

Every point has a record with an id of its own, `dis`, `unit` and `siteRef`. It holds every kind of value:
nulls are NA.
"""

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from local.upstream.truth import Truth
from local.vendors.shape import HeldTruth, Reply, Request

NEW_YORK: Final = timezone(timedelta(hours=-5))
"""The zone of all points. It has no daylight saving here: offsets are written with each instant."""

SALT: Final = b"made-up salt"
ROUNDS: Final = 100
GRID = dict[str, Any]


def kept(value: Any) -> tuple[Any] | None:
    """What is kept of a value: numbers are float64."""
    return (float(value),) if isinstance(value, int) and not isinstance(value, bool) else (value,)


def id_of(name: str) -> str:
    """The id of a site or point."""
    return "p:made-up:" + hashlib.sha256(name.encode()).hexdigest()[:12]


class HaystackShape:
    """`end`: which end of a range is held besides (`start`: the start alone, `both`, `end`: the end alone).
    `border_points`: SkySpark's extra points. `batch`: whether several points are served. `omits_quiet`: an
    answer about several has no columns of points without rows. `error`: an error grid in place of every
    history.
    """

    def __init__(self, truth: Truth, **knobs: Any) -> None:
        self._held = HeldTruth(truth, kept)
        self._asked: dict[str, str] = {}
        self._names = {id_of(site): site for site in self._held.sites()}
        self._points = {
            id_of(point): (site, point) for site in self._held.sites() for point in self._held.points(site)
        }
        self.knobs: dict[str, Any] = {
            "holds": "start",
            "border_points": False,
            "batch": True,
            "omits_quiet": False,
            "error": "",
            "unit_of_samples": "",
            **knobs,
        }

    def allowed(self, request: Request, token: str) -> bool:
        """See Shape. The exchange that leads to a token is answered by `reply`."""
        self._token = token
        sent = request.headers.get("authorization", "")
        return sent == f"BEARER authToken={token}" or sent.startswith(("HELLO ", "SCRAM "))

    def reply(self, request: Request) -> Reply:
        """See Shape."""
        sent = request.headers.get("authorization", "")
        if sent.startswith("HELLO "):
            return _challenge("handshakeToken=aabb, hash=SHA-256")
        if sent.startswith("SCRAM "):
            return self._scram(sent)
        text = request.body.decode()
        match request.path:
            case "/about":
                grid = _grid(["serverName"], [{"serverName": "simulator"}])
            case "/read":
                grid = self._read(_string(text.splitlines()[2]))
            case "/hisRead":
                return self._history(text, request)
            case _:
                return Reply(status=404, body=b"")
        return _sent(grid, request)

    def _scram(self, sent: str) -> Reply:
        data = re.search(r"data=([A-Za-z0-9_-]+)", sent)
        assert data is not None
        said = _decoded(data[1])
        if said.startswith("n,,"):
            first = said.removeprefix("n,,")
            nonce = first.partition(",r=")[2] + "server"
            answer = f"r={nonce},s={_b64(SALT)},i={ROUNDS}"
            self._asked[nonce] = f"{first},{answer}"
            return _challenge(f"handshakeToken=ccdd, hash=SHA-256, data={_url(answer.encode())}")
        without_proof, _, proof = said.partition(",p=")
        signed = f"{self._asked[without_proof.partition(',r=')[2]]},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac("sha256", self._token.encode(), SALT, ROUNDS)
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        expected = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        if _b64(expected) != proof:
            return Reply(status=403, body=b"")
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        info = f"authToken={self._token}, hash=SHA-256, data={_url(b'v=' + _b64(server).encode())}"
        return Reply(body=b"", headers={"Authentication-Info": info})

    def _read(self, wanted: str) -> GRID:
        if wanted.startswith("site"):
            only = re.search(r"id==@(\S+)", wanted)
            rows = [
                {"id": ("ref", one), "dis": name, "site": ("marker",)}
                for one, name in self._names.items()
                if only is None or one == only[1]
            ]
            return _grid(["id", "dis", "site"], rows)
        site_id = re.search(r"siteRef==@(\S+)", wanted)
        assert site_id is not None
        rows = []
        for one, (site, point) in self._points.items():
            if id_of(site) == site_id[1]:
                unit = self._held.unit(site, point)
                more = {"unit": unit} if unit else {}
                rows.append({"id": ("ref", one), "dis": point, "his": ("marker",), **more})
        return _grid(["id", "dis", "his", "unit"], rows)

    def _history(self, text: str, request: Request) -> Reply:
        if self.knobs["error"]:
            return _sent(_grid(["empty"], [], meta={"err": ("marker",), "dis": self.knobs["error"]}), request)
        lines = text.splitlines()
        found = re.search(r'"([^",]+),([^",]+)"', text)
        assert found is not None
        start_ms, end_ms = (_ms(one.removesuffix(" UTC")) for one in found.groups())
        ids = re.findall(r"@([^,\s]+)", "\n".join(lines[2:]))
        is_batch = lines[1] == "id"
        if (is_batch and not self.knobs["batch"]) or not ids or ids[0] not in self._points:
            return _sent(_grid(["empty"], [], meta={"err": ("marker",), "dis": "UnknownRecErr"}), request)
        rows: dict[int, dict[str, Any]] = {}
        count = 0
        for place, one in enumerate(ids):
            site, point = self._points[one]
            unit = self.knobs["unit_of_samples"] or self._held.unit(site, point)
            for at_ms, value in self._range(site, point, start_ms, end_ms):
                cell = _cell(value, unit)
                rows.setdefault(at_ms, {"ts": ("dateTime", _local(at_ms), "New_York")})[
                    f"v{place}" if is_batch else "val"
                ] = cell
                count += 1
        ordered = [rows[at_ms] for at_ms in sorted(rows)]
        if is_batch:
            columns = {name for row in ordered for name in row} if self.knobs["omits_quiet"] else None
            metas = {
                f"v{place}": {"id": ("ref", one)}
                for place, one in enumerate(ids)
                if columns is None or f"v{place}" in columns
            }
            return _sent(_grid(["ts", *metas], ordered, metas=metas), request, count)
        return _sent(_grid(["ts", "val"], ordered, meta={"id": ("ref", ids[0])}), request, count)

    def _range(self, site: str, point: str, start_ms: int, end_ms: int) -> list[tuple[int, Any]]:
        samples = self._held.samples(site, point)
        first, last = {"start": (0, 0), "both": (0, 1), "end": (1, 1)}[self.knobs["holds"]]
        inside = [one for one in samples if start_ms + first <= one[0] < end_ms + last]
        if not self.knobs["border_points"]:
            return inside
        before = [one for one in samples if one[0] < start_ms + first][-1:]
        return [*before, *inside, *[one for one in samples if one[0] >= end_ms + last][:1]]


def _cell(value: Any, unit: str) -> Any:
    if value is None:
        return ("na",)
    if isinstance(value, float):
        return ("number", value, unit)
    return value


def _grid(columns: list[str], rows: list[dict[str, Any]], **more: Any) -> GRID:
    return {"columns": columns, "rows": rows, "meta": {}, "metas": {}, **more}


def _sent(grid: GRID, request: Request, samples: int = 0) -> Reply:
    if "zinc" in request.headers.get("accept", ""):
        return Reply(body=_zinc(grid).encode(), content_type="text/zinc; charset=utf-8", samples=samples)
    document = {
        "_kind": "grid",
        "meta": {"ver": "3.0", **{name: _json(one) for name, one in grid["meta"].items()}},
        "cols": [
            {"name": name, "meta": {key: _json(one) for key, one in grid["metas"].get(name, {}).items()}}
            for name in grid["columns"]
        ],
        "rows": [{name: _json(one) for name, one in row.items()} for row in grid["rows"]],
    }
    return Reply(
        body=json.dumps(document).encode(), content_type="application/vnd.haystack+json", samples=samples
    )


def _json(value: Any) -> Any:  # noqa: PLR0911 - a case each
    match value:
        case ("marker",):
            return {"_kind": "marker"}
        case ("na",):
            return {"_kind": "na"}
        case ("ref", name):
            return {"_kind": "ref", "val": name}
        case ("dateTime", text, zone):
            return {"_kind": "dateTime", "val": text, "tz": zone}
        case ("number", number, ""):
            return number
        case ("number", number, unit):
            return {"_kind": "number", "val": number, "unit": unit}
    return value


def _zinc(grid: GRID) -> str:
    head = " ".join(['ver:"3.0"', *(_tag(name, one) for name, one in grid["meta"].items())])
    columns = ",".join(
        " ".join([name, *(_tag(key, one) for key, one in grid["metas"].get(name, {}).items())])
        for name in grid["columns"]
    )
    rows = [
        ",".join(_text(row[name]) if name in row else "" for name in grid["columns"]) for row in grid["rows"]
    ]
    return "\n".join([head, columns, *rows]) + "\n"


def _tag(name: str, value: Any) -> str:
    return name if value == ("marker",) else f"{name}:{_text(value)}"


def _text(value: Any) -> str:  # noqa: PLR0911 - a case each
    match value:
        case ("marker",):
            return "M"
        case ("na",):
            return "NA"
        case ("ref", name):
            return f"@{name}"
        case ("dateTime", text, zone):
            return f"{text} {zone}"
        case ("number", number, unit):
            return f"{number!r}{unit}"
        case bool():
            return "T" if value else "F"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _string(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.strip()[1:-1])


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def _local(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1_000, tz=NEW_YORK)
    part = f".{at_ms % 1_000:03d}" if at_ms % 1_000 else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + part + "-05:00"


def _challenge(parameters: str) -> Reply:
    return Reply(status=401, body=b"", headers={"WWW-Authenticate": f"SCRAM {parameters}"})


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().replace("-", "+").replace("_", "/")


def _url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> str:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
