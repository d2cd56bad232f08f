"""Arrivals in a lobby with several Regions: each Region gets every message of a target's topic, and the home records
it. No report is lost if the home is lost before it has recorded the report."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from lobby import arrivals
from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.errors import NotHome
from tests.aws import Calls
from tests.regions import DUBLIN, FRANKFURT, START, Regions, regions

REPORT, CONFIRMATION = "Notification", "SubscriptionConfirmation"


class Recorder:
    """Replaces the processing of messages, which has its own tests."""

    def __init__(self) -> None:
        self.processed: list[str] = []

    def process(self, envelope: dict[str, Any]) -> str:
        self.processed.append(envelope["Type"])
        return "arrived"


@pytest.fixture
def lobby(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as several:
        several.keep(DUBLIN)
        yield several


def deliver(recorder: Recorder, sent: int = START, *kinds: str) -> Any:
    attributes = {"SentTimestamp": str(sent)}
    records = [
        {"messageId": kind, "body": json.dumps({"Type": kind}), "eventSourceARN": "arn", "attributes": attributes}
        for kind in kinds or (REPORT, CONFIRMATION)
    ]
    return arrivals.handler({"Records": records}, None, cast(Any, recorder))


def test_the_home_processes_every_message(lobby: Regions) -> None:
    recorder = Recorder()
    with lobby.at(DUBLIN):
        assert deliver(recorder) == {"batchItemFailures": []}
    assert recorder.processed == [REPORT, CONFIRMATION]


def test_another_region_confirms_its_own_subscription_and_leaves_reports_to_the_home(lobby: Regions) -> None:
    recorder = Recorder()
    lobby.pass_minutes(1)
    with lobby.at(FRANKFURT):
        assert deliver(recorder) == {"batchItemFailures": []}
    assert recorder.processed == [CONFIRMATION]


def test_a_report_stays_at_a_door_until_the_home_has_had_time_for_it(lobby: Regions) -> None:
    recorder = Recorder()
    for minutes in (0, 1):
        lobby.pass_minutes(minutes)
        with lobby.at(FRANKFURT):
            assert deliver(recorder, START + 1, REPORT) == {"batchItemFailures": [{"itemIdentifier": REPORT}]}
    lobby.pass_minutes(1)
    with lobby.at(FRANKFURT):
        assert deliver(recorder, START + 1, REPORT) == {"batchItemFailures": []}
    assert recorder.processed == []


def test_a_report_that_came_after_the_loss_of_the_home_is_recorded_by_the_next_home(lobby: Regions) -> None:
    recorder, lost = Recorder(), START + 1
    lobby.down = {DUBLIN}
    for _ in range(4):
        lobby.pass_minutes(1)
        with lobby.at(FRANKFURT):
            assert deliver(recorder, lost, REPORT) == {"batchItemFailures": [{"itemIdentifier": REPORT}]}
    lobby.pass_minutes(2)
    lobby.here = FRANKFURT
    assert lobby.lease(FRANKFURT).promote().done
    with lobby.at(FRANKFURT):
        assert deliver(recorder, lost, REPORT) == {"batchItemFailures": []}
    assert recorder.processed == [REPORT]


def test_an_old_home_that_returns_records_what_its_queue_has(lobby: Regions) -> None:
    recorder, left = Recorder(), lobby.now
    lobby.down = {DUBLIN}
    lobby.now += LEASE_MS + MARGIN_MS
    lobby.here = FRANKFURT
    assert lobby.lease(FRANKFURT).promote().done
    lobby.down = set()
    lobby.pass_minutes(2)
    with lobby.at(DUBLIN):
        assert deliver(recorder, left, REPORT) == {"batchItemFailures": []}
        assert deliver(recorder, START + LEASE_MS + MARGIN_MS, REPORT) == {"batchItemFailures": []}
    assert recorder.processed == [REPORT]


@pytest.mark.parametrize("region", [DUBLIN, FRANKFURT])
def test_messages_stay_in_the_queue_while_no_region_may_write(lobby: Regions, region: str) -> None:
    recorder = Recorder()
    lobby.now += LEASE_MS
    with lobby.at(DUBLIN if region == DUBLIN else FRANKFURT), pytest.raises(NotHome, match="LEASE_EXPIRED"):
        deliver(recorder)
    assert recorder.processed == []
