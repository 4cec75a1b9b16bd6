"""`GET /api/sites` over several upstreams of which one does not answer."""

from edgeseries.access.grants import Right
from edgeseries.errors import OriginUnreachable
from edgeseries.origins.by_site import OriginsBySite, PlacedOrigin
from edgeseries.origins.record import OriginRecord
from tests.asked_router import told
from tests.fakes import FakeOrigin
from tests.keyed_router import OTHER_SITE, SITE, House


def test_sites_of_an_upstream_that_is_down_are_told_to_be_missing() -> None:
    house = House()
    down = FakeOrigin({}, failure=OriginUnreachable("the upstream refuses connections"))
    records = [
        OriginRecord(name=name, prefix=prefix, vendor="ace", url="", settle_lag_ms=1, circuit_pause_ms=0)
        for name, prefix in (("upstream", ""), ("meters", "meters/"))
    ]
    house.changes["origin"] = OriginsBySite(
        [
            PlacedOrigin(record=one, origin=origin)
            for one, origin in zip(records, (house.origin, down), strict=True)
        ]
    )
    everyone = told(house.ask(house.key(Right.READ, sites=None), "GET", "/api/sites", ""))
    assert [site["name"] for site in everyone["sites"]] == [OTHER_SITE, SITE]
    assert everyone["unanswered"] == [
        {"upstream": "upstream:meters", "prefix": "meters/", "fault": "the upstream refuses connections"}
    ]
    mine = told(house.ask(house.key(Right.READ), "GET", "/api/sites", ""))
    assert ([site["name"] for site in mine["sites"]], mine["unanswered"]) == ([SITE], [])
    gone = house.ask(house.key(Right.READ, sites=None), "GET", "/api/sites/{site}/points", "", "meters%2Fhq")
    assert gone.status == 502
    values = house.ask(
        house.key(Right.READ, sites=None), "GET", "/prometheus/api/v1/label/{label}/values", ""
    )
    assert values.status == 502, "a query over the sites that are left would answer another question"
