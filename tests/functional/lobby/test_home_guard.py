"""Which handlers work in which Region, and the handler of the lease renewal."""

from collections.abc import Iterator

import pytest

from lobby import lease_renewal
from lobby.domain.regions.home import LEASE_MS
from lobby.errors import NotHome
from lobby.home_guard import at_home_only, everywhere, nothing_failed, timer_at_home
from lobby.ledger.regions.routing import Access
from tests.aws import Calls
from tests.regions import DUBLIN, FRANKFURT, Regions, regions


@at_home_only(nothing_failed)
def on_events(event: dict[str, str]) -> dict[str, object]:
    return {"batchItemFailures": [event["id"]]}


@timer_at_home(lambda: "idle")
def on_timer() -> str:
    return "worked"


@everywhere(Access.DOOR)
def at_door() -> str:
    return "worked"


@pytest.fixture
def lobby(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as several:
        several.keep(DUBLIN)
        yield several


def test_in_one_region_every_handler_is_called_and_no_aws_call_is_made(calls: Calls) -> None:
    calls.forget()
    assert on_events({"id": "7"}) == {"batchItemFailures": ["7"]}
    assert (on_timer(), at_door()) == ("worked", "worked")
    assert calls.made == []


def test_functions_of_the_home_work_in_the_home_only(lobby: Regions) -> None:
    with lobby.at(DUBLIN):
        assert (on_events({"id": "7"}), on_timer()) == ({"batchItemFailures": ["7"]}, "worked")
    with lobby.at(FRANKFURT):
        assert (on_events({"id": "7"}), on_timer()) == ({"batchItemFailures": []}, "idle")
        assert at_door() == "worked"


@pytest.mark.parametrize("region", [DUBLIN, FRANKFURT])
def test_events_are_delivered_again_and_timers_wait_while_no_region_may_write(lobby: Regions, region: str) -> None:
    lobby.now += LEASE_MS
    with lobby.at(DUBLIN if region == DUBLIN else FRANKFURT):
        with pytest.raises(NotHome, match="LEASE_EXPIRED"):
            on_events({"id": "7"})
        assert on_timer() == "idle"


def test_the_vote_is_read_once_for_ten_seconds(lobby: Regions) -> None:
    with lobby.at(DUBLIN):
        lobby.calls.forget()
        for _ in range(20):
            on_timer()
        assert lobby.calls.names() == ["GetItem"]
        lobby.now += 10_000
        on_timer()
        assert lobby.calls.names() == ["GetItem"] * 2


def test_the_lease_renewal_extends_the_lease_and_reports_a_loss(lobby: Regions) -> None:
    assert lease_renewal.handler({}, None, lobby.lease(DUBLIN)) == {"outcome": "extended"}
    lobby.down = {FRANKFURT}
    assert lease_renewal.handler({}, None, lobby.lease(DUBLIN)) == {"outcome": "alone"}
