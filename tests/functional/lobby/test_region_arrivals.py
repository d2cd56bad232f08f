"""Arrivals in a lobby with several Regions: each gets every message of a target's topic, and the home records."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from lobby import arrivals
from lobby.domain.home import LEASE_MS
from lobby.errors import NotHome
from tests.aws import Calls
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

REPORT, CONFIRMATION = "Notification", "SubscriptionConfirmation"


class Recorder:
    """Stands for the processing of messages, which has its own tests."""

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


def deliver(recorder: Recorder) -> Any:
    records = [
        {"messageId": kind, "body": json.dumps({"Type": kind}), "eventSourceARN": "arn"}
        for kind in (REPORT, CONFIRMATION)
    ]
    return arrivals.handler({"Records": records}, None, cast(Any, recorder))


def test_the_home_processes_every_message(lobby: Regions) -> None:
    recorder = Recorder()
    with lobby.at(DUBLIN):
        assert deliver(recorder) == {"batchItemFailures": []}
    assert recorder.processed == [REPORT, CONFIRMATION]


def test_another_region_confirms_its_own_subscription_and_leaves_reports_to_the_home(lobby: Regions) -> None:
    recorder = Recorder()
    with lobby.at(FRANKFURT):
        assert deliver(recorder) == {"batchItemFailures": []}
    assert recorder.processed == [CONFIRMATION]


@pytest.mark.parametrize("region", [DUBLIN, FRANKFURT])
def test_messages_stay_in_the_queue_while_no_region_may_write(lobby: Regions, region: str) -> None:
    recorder = Recorder()
    lobby.now += LEASE_MS
    with lobby.at(DUBLIN if region == DUBLIN else FRANKFURT), pytest.raises(NotHome, match="LEASE_EXPIRED"):
        deliver(recorder)
    assert recorder.processed == []
