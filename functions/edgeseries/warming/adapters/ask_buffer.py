"""What an isolate counts of questions before it is written: bounded, and written with the other counts.

It knows no platform and no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edgeseries.limits import DAY_MS
from edgeseries.storage.database import Command, json_chunks
from edgeseries.warming.adapters import ask_statements as sql
from edgeseries.warming.asks import Ask, Asked, PointSet, Window, hour_of
from edgeseries.warming.limits import ASK_GRAIN_MS, PENDING_KEYS, PENDING_SETS_BYTES

AskKey = tuple[str, int, Window]
"""A set by its digest, the hour (since 1970), the days."""


@dataclass(slots=True)
class _Counted:
    """What is not written yet (None if nothing is), and when something was last."""

    sums: Asked | None
    written_ms: int | None = None


class AskBuffer:
    """The questions of one isolate. `max_keys` different ones are held."""

    def __init__(self, *, max_keys: int = PENDING_KEYS, max_set_bytes: int = PENDING_SETS_BYTES) -> None:
        self._max_keys = max_keys
        self._max_set_bytes = max_set_bytes
        self._counted: dict[AskKey, _Counted] = {}
        self._sets: dict[str, tuple[PointSet, int]] = {}
        self._set_bytes = 0
        self._written_sets: dict[str, int] = {}

    def count(self, ask: Ask, now_ms: int) -> None:
        """See AskCounter. A question that finds no room is not counted."""
        digest = ask.of.digest
        asked = Asked(
            digest=digest,
            hour=hour_of(now_ms),
            window=ask.window,
            asks=1,
            point_days=ask.point_days,
            missing_point_days=ask.missing_point_days,
            origin_ms=ask.origin_ms,
            asked_ms=now_ms,
        )
        key = digest, asked.hour, asked.window
        if key not in self._counted and len(self._counted) >= self._max_keys:
            return
        if self._holds_set(ask.of, digest, now_ms):
            self._add(asked)

    def take(self, now_ms: int) -> tuple[list[Command], Callable[[], None]] | None:
        """What is to be written now, and what to call if it could not be. None if there is nothing."""
        hour = hour_of(now_ms)
        due: list[Asked] = []
        for key, counted in list(self._counted.items()):
            over = key[1] < hour
            old = counted.written_ms is None or now_ms - counted.written_ms >= ASK_GRAIN_MS
            if counted.sums is not None and (over or old):
                due.append(counted.sums)
                counted.sums, counted.written_ms = None, now_ms
            if over and counted.sums is None:
                del self._counted[key]
        sets = self._sets
        self._sets, self._set_bytes = {}, 0
        self._written_sets.update(dict.fromkeys(sets, now_ms // DAY_MS))
        if len(self._written_sets) > self._max_keys:
            self._written_sets.clear()  # Each is written once more, which changes nothing.
        if not due and not sets:
            return None

        def put_back() -> None:
            for one in due:
                if (one.digest, one.hour, one.window) in self._counted or len(self._counted) < self._max_keys:
                    self._add(one)
                    self._counted[one.digest, one.hour, one.window].written_ms = None
            for digest, (of, size_bytes) in sets.items():
                self._written_sets.pop(digest, None)
                self._sets[digest] = of, size_bytes
                self._set_bytes += size_bytes

        return _commands(due, [one for one, _ in sets.values()], now_ms), put_back

    def _add(self, asked: Asked) -> None:
        counted = self._counted.setdefault((asked.digest, asked.hour, asked.window), _Counted(None))
        counted.sums = asked if counted.sums is None else counted.sums + asked

    def _holds_set(self, of: PointSet, digest: str, now_ms: int) -> bool:
        """Whether the names of a set are written, or will be with what is counted of it."""
        if self._written_sets.get(digest) == now_ms // DAY_MS or digest in self._sets:
            return True
        size_bytes = len(of.points_json.encode())
        if self._set_bytes + size_bytes > self._max_set_bytes:
            return False
        self._sets[digest] = of, size_bytes
        self._set_bytes += size_bytes
        return True


def _commands(asked: list[Asked], sets: list[PointSet], now_ms: int) -> list[Command]:
    rows = [
        (
            *(one.hour, one.digest, one.window.first_back, one.window.last_back),
            *(one.asks, one.point_days, one.missing_point_days, one.origin_ms, one.asked_ms),
        )
        for one in asked
    ]
    day_ms = now_ms // DAY_MS * DAY_MS
    names = [(one.digest, one.site, one.points, day_ms) for one in sets]
    return [
        *(Command(sql=sql.RECORD_SETS, parameters=(chunk,)) for chunk, _ in json_chunks(names)),
        *(Command(sql=sql.RECORD_ASKED, parameters=(chunk,)) for chunk, _ in json_chunks(rows)),
    ]
