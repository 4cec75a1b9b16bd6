"""The live edge against a model of an upstream: what recent samples hold is what a direct read gives."""

from array import array
from dataclasses import dataclass, field

from hypothesis import event, given
from hypothesis import strategies as st

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from edgeseries.planning.live_edge import Edge, RecentSamples, late_ms, plan_live, recent_after
from edgeseries.series.samples import Samples, joined, within
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

LAG_MS = HOUR_MS
BATCH_POINTS = 50
DAY_START_MS = 20_000 * DAY_MS
POINTS = ("a", "b", "c")
Arrival = tuple[int, int, float]
"""When upstream gets a sample, its instant, its value."""


@dataclass
class Model:
    """An upstream whose samples arrive, and one isolate that asks it."""

    arrivals: dict[str, list[Arrival]]
    recents: dict[str, RecentSamples] = field(default_factory=dict)
    stored: frozenset[int] = frozenset()
    delivered: int = 0
    calls: int = 0

    def direct(self, point: str, span: TimeRange, now_ms: int) -> list[tuple[int, float]]:
        """What a direct read gives at a moment."""
        known = {
            at_ms: value
            for arrived_ms, at_ms, value in self.arrivals[point]
            if arrived_ms <= now_ms and span.start_ms <= at_ms < span.end_ms
        }
        return sorted(known.items())

    def ask(self, points: list[str], edge: Edge) -> dict[str, list[tuple[int, Value]]]:
        """An answer's live part, as the router makes it."""
        recents = {point: self.recents[point] for point in points if point in self.recents}
        plan = plan_live(points, edge, recents, batch_points=BATCH_POINTS)
        self.calls += len({piece for pieces in plan.pieces.values() for piece in pieces})
        answers = {}
        for point in points:
            reads = [
                (piece, samples_of(self.direct(point, piece, edge.now_ms))) for piece in plan.pieces[point]
            ]
            self.delivered += sum(len(samples) for _, samples in reads)
            recent = recent_after(recents.get(point), reads, edge, floor_ms=edge.kept_from_ms(self.stored))
            held = [recents[point].samples] if point in recents else []
            parts = [*held, *(samples for _, samples in reads)]
            answer = pairs(within(joined(parts), edge.span)) if parts else []
            if recent is not None:
                self.recents[point] = recent
                assert recent.from_ms <= edge.span.start_ms
                assert edge.span.end_ms <= recent.known_until_ms
                assert answer == pairs(within(recent.samples, edge.span))
            answers[point] = answer
        return answers


def samples_of(rows: list[tuple[int, float]]) -> Samples:
    return Samples(times_ms=array("q", [at for at, _ in rows]), values=tuple(value for _, value in rows))


def pairs(samples: Samples) -> list[tuple[int, Value]]:
    return list(zip(samples.times_ms, samples.values, strict=True))


@st.composite
def in_order(draw: st.DrawFn) -> list[Arrival]:
    """Instants ascend, and so do arrivals; a gateway that is cut off catches up in order, hours late."""
    at_ms = arrived_ms = DAY_START_MS
    found = []
    for place in range(draw(st.integers(0, 25))):
        at_ms += draw(st.one_of(st.just(MINUTE_MS), st.integers(1, 2 * HOUR_MS)))
        late_ms = draw(st.one_of(st.just(0), st.integers(0, MINUTE_MS), st.integers(0, 5 * HOUR_MS)))
        arrived_ms = max(arrived_ms, at_ms + late_ms)
        found.append((arrived_ms, at_ms, float(place)))
    return found


@dataclass(frozen=True)
class Step:
    wait_ms: int
    start_ms: int
    end_ms: int | None
    ahead_ms: int
    points: tuple[str, ...]


steps = st.builds(
    Step,
    wait_ms=st.one_of(st.integers(0, 20 * SECOND_MS), st.just(MINUTE_MS), st.integers(0, 4 * HOUR_MS)),
    start_ms=st.one_of(st.just(0), st.integers(0, 20 * HOUR_MS)),
    end_ms=st.one_of(st.none(), st.none(), st.integers(1, 20 * HOUR_MS)),
    ahead_ms=st.sampled_from([0, 0, 0, 5 * MINUTE_MS, -3 * SECOND_MS]),
    points=st.lists(st.sampled_from(POINTS), min_size=1, unique=True).map(lambda some: tuple(sorted(some))),
)


def edges(drawn: list[Step], ttl_ms: int) -> list[tuple[Step, Edge]]:
    """The steps as live parts of requests; those that are no range are left out."""
    now_ms = DAY_START_MS + HOUR_MS
    found = []
    for step in drawn:
        now_ms = min(now_ms + step.wait_ms, DAY_START_MS + DAY_MS)
        start_ms = DAY_START_MS + step.start_ms
        end_ms = now_ms + step.ahead_ms if step.end_ms is None else DAY_START_MS + step.end_ms
        if start_ms < end_ms:
            span = TimeRange(start_ms=start_ms, end_ms=end_ms)
            found.append((step, Edge(span=span, now_ms=now_ms, settle_lag_ms=LAG_MS, ttl_ms=ttl_ms)))
    return found


@given(
    st.fixed_dictionaries({point: in_order() for point in POINTS}),
    st.lists(steps, min_size=1, max_size=25),
    st.sampled_from([0, 10 * SECOND_MS]),
)
def test_samples_that_come_in_order_are_always_seen(
    arrivals: dict[str, list[Arrival]], drawn: list[Step], ttl_ms: int
) -> None:
    model = Model(arrivals)
    for step, edge in edges(drawn, ttl_ms):
        answers = model.ask(list(step.points), edge)
        for point, answer in answers.items():
            if ttl_ms == 0:
                assert answer == model.direct(point, edge.span, edge.now_ms)
                continue
            moments = {arrived for arrived, _, _ in arrivals[point]}
            as_of = {edge.now_ms - ttl_ms + 1, edge.now_ms} | {
                one for one in moments if edge.now_ms - ttl_ms < one <= edge.now_ms
            }
            assert answer in [model.direct(point, edge.span, moment) for moment in sorted(as_of)]


@given(in_order(), st.integers(0, DAY_MS), st.integers(1, 4 * HOUR_MS))
def test_lateness_is_never_told_higher_than_it_was(
    arrivals: list[Arrival], first_ms: int, pause_ms: int
) -> None:
    """Two looks: what the second finds from before the first was certainly late."""
    model = Model({"a": arrivals})

    def edge(now_ms: int) -> Edge:
        span = TimeRange(start_ms=DAY_START_MS, end_ms=DAY_START_MS + 2 * DAY_MS)
        return Edge(span=span, now_ms=now_ms, settle_lag_ms=LAG_MS, ttl_ms=0)

    look_ms = DAY_START_MS + first_ms
    model.ask(["a"], edge(look_ms))
    recent = model.recents["a"]
    plan = plan_live(["a"], edge(look_ms + pause_ms), {"a": recent}, batch_points=BATCH_POINTS)
    reads = [(piece, samples_of(model.direct("a", piece, look_ms + pause_ms))) for piece in plan.pieces["a"]]
    came = [one for one in arrivals if one[1] < look_ms < one[0] <= look_ms + pause_ms]
    told = late_ms(recent, reads)
    assert told == max((look_ms - at_ms for _, at_ms, _ in came), default=0)
    assert told <= max((arrived_ms - at_ms for arrived_ms, at_ms, _ in came), default=0)


@given(st.data(), st.lists(steps, min_size=1, max_size=25))
def test_what_comes_out_of_order_within_the_lag_shows_two_lags_later(
    data: st.DataObject, drawn: list[Step]
) -> None:
    rows = st.lists(
        st.tuples(st.integers(0, 20 * HOUR_MS), st.integers(0, LAG_MS), st.floats(allow_nan=False)),
        max_size=25,
    )
    arrivals = {
        point: sorted(
            (DAY_START_MS + at_ms + late_ms, DAY_START_MS + at_ms, value)
            for at_ms, late_ms, value in data.draw(rows)
        )
        for point in POINTS
    }
    model = Model(arrivals)
    for step, edge in edges(drawn, 0):
        for point, answer in model.ask(list(step.points), edge).items():
            truth = model.direct(point, edge.span, edge.now_ms)
            assert {at_ms for at_ms, _ in answer} <= {at_ms for at_ms, _ in truth}
            old = [row for row in truth if row[0] <= edge.now_ms - 2 * LAG_MS]
            assert [row for row in answer if row[0] <= edge.now_ms - 2 * LAG_MS] == old
            event(f"late ones were awaited: {len(truth) > len(answer)}")


def test_a_dashboard_that_looks_every_minute_gets_each_sample_once_and_once_more_when_it_has_settled() -> (
    None
):
    points = [f"p{number:02d}" for number in range(BATCH_POINTS)]
    every_minute = [(DAY_START_MS + minute * MINUTE_MS,) * 2 + (1.0,) for minute in range(24 * 60)]
    model = Model(dict.fromkeys(points, every_minute))

    def look(minute: int) -> None:
        now_ms = DAY_START_MS + minute * MINUTE_MS + 30 * SECOND_MS
        span = TimeRange(start_ms=DAY_START_MS, end_ms=now_ms)
        model.ask(points, Edge(span=span, now_ms=now_ms, settle_lag_ms=LAG_MS, ttl_ms=10 * SECOND_MS))

    look(8 * 60)
    model.delivered = model.calls = 0
    for minute in range(8 * 60 + 1, 9 * 60 + 1):
        look(minute)
    assert (model.delivered, model.calls) == (60 * len(points), 60)
    for minute in range(9 * 60 + 1, 12 * 60):
        look(minute)
    # Three steps were due: 9:01, 10:02, 11:03, each as long as it is since the last.
    assert model.delivered == (60 + 179 + 3 * 61) * len(points)


def test_points_whose_last_samples_lie_apart_take_few_calls() -> None:
    points = [f"p{number:02d}" for number in range(BATCH_POINTS)]
    staggered = {
        point: [
            (DAY_START_MS + minute * MINUTE_MS + place * SECOND_MS,) * 2 + (1.0,) for minute in range(600)
        ]
        for place, point in enumerate(points)
    }
    silent = {f"silent{number:02d}": [(DAY_START_MS + number,) * 2 + (1.0,)] for number in range(20)}
    model = Model({**staggered, **silent})

    def look(second: int) -> None:
        now_ms = DAY_START_MS + 8 * HOUR_MS + second * SECOND_MS
        span = TimeRange(start_ms=DAY_START_MS, end_ms=now_ms)
        edge = Edge(span=span, now_ms=now_ms, settle_lag_ms=LAG_MS, ttl_ms=10 * SECOND_MS)
        model.ask([*points, *silent], edge)

    look(55)
    model.delivered = model.calls = 0
    look(115)
    assert model.calls <= 5
    # Each staggered point has one new sample; one it has already comes again, the silent ones bring no more.
    assert model.delivered <= 2 * len(points) + len(silent)
