"""Events of a lobby in several Regions: the home publishes them, and none is lost when another Region becomes home."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from lobby import publisher
from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.errors import NotHome
from lobby.ledger.clock import timestamp
from tests.aws import Calls
from tests.functional.lobby.notary_fixture import ONE, Item, record
from tests.regions import DUBLIN, FRANKFURT, MINUTE, START, Regions, regions

DAY = 24 * 60 * MINUTE


class Recorder:
    """Replaces the publisher, which has its own tests."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def process(self, records: Sequence[Item]) -> dict[str, Any]:
        self.published += [each["dynamodb"]["SequenceNumber"] for each in records]
        return {"batchItemFailures": []}


@pytest.fixture
def lobby(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as several:
        several.keep(DUBLIN)
        yield several


def written(at: int) -> Item:
    """Return the stream's record of an entry that was written at `at`, in ms since 1970."""
    item = {
        **{name: {"S": "x"} for name in ("prior", "hash")},
        "certid": {"S": ONE},
        "seq": {"N": "1"},
        "at": {"S": timestamp(datetime.fromtimestamp(at / 1000, UTC))},
        "actor": {"S": "user:ann"},
        "event": {"S": "claim"},
        "generation": {"N": "1"},
    }
    return record(item)


def publish(recorder: Recorder, at: int) -> bool:
    """Deliver a record. Return whether it is done with."""
    response = publisher.handler({"Records": [written(at)]}, None, cast(Any, recorder))
    return response == {"batchItemFailures": []}


def become_home(lobby: Regions) -> None:
    lobby.here = FRANKFURT
    assert lobby.lease(FRANKFURT).promote().done
    lobby.here = DUBLIN


def test_the_home_publishes_and_another_region_leaves_it_to_the_home(lobby: Regions) -> None:
    recorder = Recorder()
    with lobby.at(DUBLIN):
        assert publish(recorder, START)
    assert len(recorder.published) == 1
    lobby.pass_minutes(1)
    with lobby.at(FRANKFURT):
        assert publish(recorder, START)
    assert len(recorder.published) == 1


def test_an_entry_of_a_home_that_was_lost_is_published_by_the_next_home(lobby: Regions) -> None:
    recorder, at = Recorder(), START + 1
    lobby.down = {DUBLIN}
    with lobby.at(FRANKFURT):
        assert not publish(recorder, at)
    lobby.now += LEASE_MS
    with lobby.at(FRANKFURT), pytest.raises(NotHome, match="LEASE_EXPIRED"):
        publish(recorder, at)
    lobby.now += MARGIN_MS
    become_home(lobby)
    with lobby.at(FRANKFURT):
        assert publish(recorder, at)
    assert len(recorder.published) == 1


def test_an_entry_that_was_written_just_before_a_planned_handover_is_published(lobby: Regions) -> None:
    recorder, at = Recorder(), lobby.now
    lobby.here = FRANKFURT
    assert not lobby.lease(FRANKFURT).promote().done
    for region in (DUBLIN, FRANKFURT):
        with lobby.at(region), pytest.raises(NotHome, match="LEASE_EXPIRED"):
            publish(recorder, at)
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.now += MARGIN_MS
    become_home(lobby)
    lobby.pass_minutes(2)
    for region in (DUBLIN, FRANKFURT):
        with lobby.at(region):
            assert publish(recorder, at)
    assert len(recorder.published) == 2  # at least once, by each Region that still has the record


def test_an_old_entry_that_a_new_replica_gets_is_not_published_again(lobby: Regions) -> None:
    recorder = Recorder()
    lobby.down = {DUBLIN}
    lobby.now += LEASE_MS + MARGIN_MS
    become_home(lobby)
    lobby.down = set()
    lobby.pass_minutes(2)
    with lobby.at(DUBLIN):
        assert publish(recorder, START - DAY - MINUTE)
    assert recorder.published == []
