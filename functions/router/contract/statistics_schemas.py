"""JSON Schema of `/api/stats`."""

from typing import Any, Final

from edgeseries.http.parameters import Schema
from router.contract.schemas import COUNT, DAY, MOMENT, NUMBER, TEXT, listed, mapped, maybe, record, words

SHARE: Final = maybe(NUMBER)
SUMS: Final[dict[str, Schema]] = {
    "objects": COUNT,
    "samples": COUNT,
    "rawBytes": COUNT,
    "storedBytes": COUNT,
    "compressionRatio": SHARE,
    "uses": COUNT,
}


def _ranks(**more: Schema) -> dict[str, Any]:
    return record(**more, p50=maybe(NUMBER), p95=maybe(NUMBER))


STATISTICS: Final = record(
    at=MOMENT,
    cache=record(
        **SUMS,
        hitRate=SHARE,
        blocks=record(**SUMS),
        answers=record(**SUMS),
        bySite=listed(record(site=TEXT, **SUMS)),
    ),
    jobs=record(
        active=mapped(COUNT),
        completed=COUNT,
        failed=COUNT,
        cancelled=COUNT,
        successRate=SHARE,
        samples=COUNT,
        durationMs=_ranks(),
        deadLetters=COUNT,
        byDay=listed(record(day=DAY, completed=COUNT, failed=COUNT, cancelled=COUNT, samples=COUNT)),
    ),
    requests=record(
        since=maybe(MOMENT),
        count=COUNT,
        errors=COUNT,
        byRoute=listed(
            record(
                endpoint=TEXT,
                route=maybe(TEXT),
                count=COUNT,
                refused=COUNT,
                errors=COUNT,
                hits=COUNT,
                hitRate=SHARE,
                durationMs=_ranks(mean=NUMBER),
                samples=COUNT,
                upstreamSamples=COUNT,
                savedSamples=COUNT,
                bodyBytes=COUNT,
            )
        ),
    ),
    upstream=record(calls=COUNT, samples=COUNT, savedSamples=COUNT),
    cost=record(
        currency=TEXT,
        month=TEXT,
        soFar=NUMBER,
        wholeMonth=NUMBER,
        plan=NUMBER,
        lines=listed(
            record(
                meter=TEXT,
                product=TEXT,
                unit=TEXT,
                used=NUMBER,
                usedWholeMonth=NUMBER,
                included=NUMBER,
                soFar=NUMBER,
                wholeMonth=NUMBER,
                basis=words("counted", "estimated", "not counted"),
                source=TEXT,
                readOn=TEXT,
            )
        ),
    ),
)
