"""The register of enrolments: definitions, changes, and lists of serial numbers."""

import pytest

from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEvent, Match
from lobby.domain.name_patterns import parse_name_pattern
from lobby.errors import Conflict
from lobby.ledger.store import Ledger
from lobby.names import EnrolmentName, ThingName
from tests.aws import Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, Lobby, pem_of


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> Lobby:
    return Lobby(calls, clock, ledger)


def test_ambiguous_enrolments_cannot_be_created_at_the_same_time(lobby: Lobby) -> None:
    everything = Match(name_pattern=parse_name_pattern("pump-*"))
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.enrol("first", everything)
    new = Enrolment(PUMPS, Door.REGISTRATION, everything, "user:ann", lobby.now())
    with pytest.raises(Conflict, match="ENROLMENT_AMBIGUOUS"):
        lobby.enrolments.create(new)
    assert [each.name for each in lobby.enrolments.all()] == ["first"]


def test_creating_an_enrolment_again_changes_nothing(lobby: Lobby) -> None:
    lobby.enrol(limit=2)
    lobby.connect()
    assert lobby.enrol(limit=2).admitted == 1
    with pytest.raises(Conflict, match="ENROLMENT_EXISTS"):
        lobby.enrol(limit=3)


def test_a_revoked_enrolment_cannot_be_changed(lobby: Lobby) -> None:
    lobby.enrol()
    lobby.clock.advance(seconds=1)
    lobby.change(EnrolmentEvent.REVOKED)
    lobby.change(EnrolmentEvent.REVOKED)
    with pytest.raises(Conflict, match="ENROLMENT_REVOKED"):
        lobby.change(EnrolmentEvent.RESUMED)
    assert [each.event for each in lobby.enrolments.history(PUMPS)] == [EnrolmentEvent.CREATED, EnrolmentEvent.REVOKED]


def test_a_change_keeps_the_number_of_devices_that_are_admitted_meanwhile(lobby: Lobby) -> None:
    lobby.enrol()
    event = lobby.first_connection(pem_of(0))
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.deliver(event)
    lobby.enrolments.set_state(PUMPS, EnrolmentEvent.PAUSED, "user:ann")
    assert lobby.admitted() == 1


def test_a_serial_number_is_in_one_list_only(lobby: Lobby) -> None:
    lobby.enrol(match=Match(listed=True))
    lobby.enrol("valves", Match(listed=True))
    lobby.lists.add(PUMPS, [ThingName("a"), ThingName("b")], "user:ann")
    assert lobby.lists.add(PUMPS, [ThingName("b"), ThingName("c")], "user:ann") == 1
    with pytest.raises(Conflict, match=r"SERIAL_LISTED: got 1 serial numbers of other enrolments' lists: c \(pumps\)"):
        lobby.lists.add(EnrolmentName("valves"), [ThingName("d"), ThingName("c")], "user:ann")
    assert lobby.lists.lengths() == {PUMPS: 3}
