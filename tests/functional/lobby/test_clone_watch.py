"""Copied certificates, from lifecycle events and reports of targets to the flag or the quarantine in the ledger."""

import json
from pathlib import Path
from typing import Any

import pytest

from lobby import connections
from lobby.arrivals import Arrivals
from lobby.connections import ConnectionRecorder
from lobby.contracts.targets import ArrivalMark
from lobby.domain.changes import Chosen, Dismiss, Lift
from lobby.domain.connections.clones import CLONE_SUSPECTED, ClonePolicy, Signal
from lobby.domain.device import Device
from lobby.domain.states import Event, State
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.lists.counts import read_counts
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from tests import aws, sns_messages
from tests.aws import Calls, Clock
from tests.clone_watches import clone_watch
from tests.functional.lobby.ledger.ledger_devices import ANN, ONE, A, arrived, in_lobby, verified_events

GOLDEN = Path(__file__).parents[2] / "events" / "lifecycle_connected.json"
TOPIC = f"arn:aws:sns:{A.region}:{A.account}:device-lobby-arrivals"
AT = 1_795_348_800_000
MINUTE = 60_000
HOME, COPY = "192.0.2.1", "198.51.100.7"


class Watched:
    """The two handlers, with the ledger, the register of targets and the messages to the marker."""

    def __init__(self, calls: Calls, ledger: Ledger, clock: Clock, policy: ClonePolicy) -> None:
        self.calls, self.ledger = calls, ledger
        self.targets = Targets(lambda: "external-id", clock)
        self.targets.register(A, "Plant", (), ANN)
        self.marks: list[ArrivalMark] = []
        watch, stored = clone_watch(ledger, self.targets, policy), Connections(lambda _attempt: None)
        self.recorder = ConnectionRecorder(ledger, stored, watch)
        certificates = sns_messages.certificates(clock)
        self.arrivals = Arrivals(
            ledger, self.targets, lambda _: aws.client("sns"), certificates, print, self.marks.append, watch, stored
        )

    def lobby_event(self, **fields: Any) -> str:
        event = json.loads(GOLDEN.read_text().replace("CERTIFICATE_ID", ONE)) | fields
        return connections.handler(event, None, self.recorder)["outcome"]

    def takeovers(self, *addresses: str, first: int = 0) -> None:
        """Connections to the lobby that end each other, as AWS IoT reports them."""
        for number, address in enumerate(addresses, first):
            at = AT + number * 1000
            self.lobby_event(session=f"s{number}", version=number, at=at, address=address)
            if number > first:
                gone = {"event": "disconnected", "session": f"s{number - 1}", "version": number - 1, "at": at}
                self.lobby_event(reason="DUPLICATE_CLIENTID", **gone)

    def report(self, **fields: Any) -> str:
        envelope = json.loads((sns_messages.EVENTS / "device_connected.json").read_text())
        body = {"certid": ONE, "devicename": "sensor-1"} | fields
        signed = sns_messages.signed(envelope | {"TopicArn": TOPIC, "Message": json.dumps(body)})
        return self.arrivals.process(signed)

    def target_connection(self, number: int, address: str, at: int | None = None) -> str:
        at = AT + number * 1000 if at is None else at
        known = {"session": f"t{number}", "version": number, "address": address, "selected": "awaited"}
        return self.report(connectedat=at, receivedat=at, **known)

    def target_takeover(self, number: int) -> str:
        known = {"session": f"t{number}", "version": number, "reason": "DUPLICATE_CLIENTID"}
        return self.report(at=AT + number * 1000, **known)

    def device(self) -> Device:
        device = self.ledger.get(ONE)
        assert device is not None
        return device


@pytest.fixture
def watched(calls: Calls, ledger: Ledger, clock: Clock) -> Watched:
    return Watched(calls, ledger, clock, ClonePolicy.FLAG)


@pytest.fixture
def strict_watch(calls: Calls, ledger: Ledger, clock: Clock) -> Watched:
    return Watched(calls, ledger, clock, ClonePolicy.QUARANTINE)


def test_two_devices_that_take_turns_in_the_lobby_are_flagged(watched: Watched) -> None:
    in_lobby(watched.ledger)
    watched.takeovers(*[HOME, COPY] * 4)
    device = watched.device()
    assert device.devstate is State.INLOBBY
    assert device.is_suspected
    assert device.suspicion is not None
    assert (device.suspicion.signal, device.suspicion.place) == (Signal.TAKEOVERS, "lobby")
    assert set(device.suspicion.addresses) == {HOME, COPY}
    assert device.reason == CLONE_SUSPECTED
    assert verified_events(watched.ledger)[-1] is Event.SUSPECT
    (entry,) = watched.ledger.latest(ONE, 1)
    assert (entry.actor, entry.reason) == ("service:clones", "CLONE_SUSPECTED: takeovers in lobby")
    counted = {(tally.bucket.state, tally.bucket.reason): tally.count for tally in read_counts() if tally.count}
    assert counted == {(State.INLOBBY, CLONE_SUSPECTED): 1}


def test_a_device_with_a_bad_network_is_not_flagged(watched: Watched) -> None:
    in_lobby(watched.ledger)
    watched.takeovers(*[HOME] * 30)
    assert not watched.device().is_suspected


def test_events_without_an_address_flag_no_device(watched: Watched) -> None:
    in_lobby(watched.ledger)
    watched.takeovers(*[None] * 30)  # type: ignore[arg-type]
    assert not watched.device().is_suspected
    assert watched.recorder._connections.problems_of(ONE)


def test_repeated_events_write_one_entry(watched: Watched) -> None:
    in_lobby(watched.ledger)
    watched.takeovers(*[HOME, COPY] * 4)
    before = len(watched.ledger.history(ONE))
    watched.takeovers(*[HOME, COPY] * 4)
    assert len(watched.ledger.history(ONE)) == before


def test_the_policy_of_the_lobby_puts_the_device_in_quarantine(strict_watch: Watched) -> None:
    in_lobby(strict_watch.ledger)
    strict_watch.takeovers(*[HOME, COPY] * 4)
    device = strict_watch.device()
    assert (device.devstate, device.reason) == (State.QUARANTINED, CLONE_SUSPECTED)
    assert device.needs_commissioner
    assert verified_events(strict_watch.ledger)[-1] is Event.QUARANTINE
    assert HOME not in (device.message or "")


def test_the_policy_of_the_target_comes_before_that_of_the_lobby(strict_watch: Watched) -> None:
    arrived(strict_watch.ledger)
    strict_watch.targets.register(A, "Plant", (), ANN, clones="flag")
    strict_watch.takeovers(*[HOME, COPY] * 4)
    assert strict_watch.device().devstate is State.ARRIVED
    assert strict_watch.device().is_suspected


def test_dismissed_evidence_does_not_return_but_new_evidence_does(watched: Watched, clock: Clock) -> None:
    in_lobby(watched.ledger)
    watched.takeovers(*[HOME, COPY] * 4)
    watched.ledger.change(Chosen(ONE), Dismiss("two uplinks"), ANN)
    assert watched.device().reason is None
    watched.takeovers(*[HOME, COPY] * 4)
    watched.takeovers(HOME, COPY, first=8)
    assert not watched.device().is_suspected
    clock.advance(hours=1)
    watched.takeovers(*[HOME, COPY] * 4, first=4000)
    assert watched.device().is_suspected


def test_lifted_evidence_does_not_return(strict_watch: Watched) -> None:
    in_lobby(strict_watch.ledger)
    strict_watch.takeovers(*[HOME, COPY] * 4)
    strict_watch.ledger.change(Chosen(ONE), Lift("seen on site"), ANN)
    strict_watch.takeovers(HOME, COPY, first=8)
    assert strict_watch.device().devstate is State.INLOBBY


def test_takeovers_in_a_target_have_its_connections_reported_until_a_copy_is_found(watched: Watched) -> None:
    arrived(watched.ledger)
    for number in range(3):
        assert watched.target_takeover(number) == "problem"
    assert [mark.awaited for mark in watched.marks] == [True]
    for number, address in enumerate([HOME, COPY, HOME, COPY, HOME, COPY, HOME]):
        assert watched.target_connection(number, address) == "nothing new"
    device = watched.device()
    assert device.suspicion is not None
    assert (device.devstate, device.suspicion.place) == (State.ARRIVED, str(A))
    assert [mark.awaited for mark in watched.marks] == [True]
    watched.target_connection(9, HOME)
    assert [mark.awaited for mark in watched.marks] == [True, False]


def test_connections_are_no_longer_reported_an_hour_after_the_last_takeover(watched: Watched) -> None:
    arrived(watched.ledger)
    for number in range(3):
        watched.target_takeover(number)
    watched.target_connection(4, HOME, AT + 61 * MINUTE)
    assert [mark.awaited for mark in watched.marks] == [True, False]


def test_a_rule_of_an_earlier_version_is_not_asked_for_more_reports(watched: Watched) -> None:
    arrived(watched.ledger)
    for number in range(4):
        watched.report(session=f"t{number}", at=AT + number * 1000, reason="DUPLICATE_CLIENTID")
    assert watched.marks == []


def fallen_back(watched: Watched, clock: Clock) -> None:
    """The device has arrived, and a hello in the lobby is recorded as a fallback. The original is still in its
    target."""
    arrived(watched.ledger)
    clock.advance(minutes=5)
    watched.ledger.hello(watched.device(), "1.0", "service:receptionist")


def test_a_device_that_is_in_the_lobby_and_in_its_target_at_the_same_time_is_flagged(
    watched: Watched, clock: Clock
) -> None:
    fallen_back(watched, clock)
    begin = int(clock().timestamp() * 1000)
    watched.lobby_event(session="copy", version=1, at=begin, address=COPY)
    assert watched.target_connection(1, HOME, begin + 5 * MINUTE) == "arrived"
    ended = {"event": "disconnected", "session": "copy", "version": 1, "at": begin + 10 * MINUTE}
    watched.lobby_event(reason="CLIENT_INITIATED_DISCONNECT", **ended)
    device = watched.device()
    assert device.suspicion is not None
    assert (device.suspicion.signal, device.suspicion.place) == (Signal.AT_ONCE, str(A))
    assert device.suspicion.addresses == (COPY, HOME)


def test_an_end_of_a_lobby_connection_that_is_interrupted_is_looked_at_again(watched: Watched, clock: Clock) -> None:
    fallen_back(watched, clock)
    begin = int(clock().timestamp() * 1000)
    watched.lobby_event(session="copy", version=1, at=begin, address=COPY)
    watched.target_connection(1, HOME, begin + 5 * MINUTE)
    ended = {"event": "disconnected", "session": "copy", "version": 1, "at": begin + 10 * MINUTE}
    watched.calls.fails["TransactWriteItems"] = ConnectionError("cut off")
    with pytest.raises(ConnectionError):
        watched.lobby_event(reason="CLIENT_INITIATED_DISCONNECT", **ended)
    del watched.calls.fails["TransactWriteItems"]
    watched.lobby_event(reason="CLIENT_INITIATED_DISCONNECT", **ended)
    assert watched.device().is_suspected


@pytest.mark.parametrize(
    ("address", "reason", "minutes"),
    [
        (HOME, "CLIENT_INITIATED_DISCONNECT", 10),
        (COPY, "MQTT_KEEP_ALIVE_TIMEOUT", 30),
        (COPY, "CONNECTION_LOST", 30),
        (COPY, "CLIENT_INITIATED_DISCONNECT", 8),
    ],
    ids=["one network", "end noticed late", "end reported late", "times inexact"],
)
def test_one_device_that_falls_back_and_returns_is_not_flagged(
    watched: Watched, clock: Clock, address: str, reason: str, minutes: int
) -> None:
    fallen_back(watched, clock)
    begin = int(clock().timestamp() * 1000)
    watched.lobby_event(session="s1", version=1, at=begin, address=address)
    watched.target_connection(1, HOME, begin + 5 * MINUTE)
    ended = {"event": "disconnected", "session": "s1", "version": 1, "at": begin + minutes * MINUTE}
    watched.lobby_event(reason=reason, **ended)
    assert not watched.device().is_suspected


def test_a_device_that_connects_normally_costs_no_more_calls(watched: Watched) -> None:
    in_lobby(watched.ledger)
    watched.calls.forget()
    watched.lobby_event(address=HOME)
    watched.lobby_event(event="disconnected", at=AT + MINUTE, reason="CLIENT_INITIATED_DISCONNECT")
    assert watched.calls.names() == ["GetItem", "GetItem", "PutItem"] * 2


def test_events_that_are_interrupted_are_completed_by_their_repetition(strict_watch: Watched) -> None:
    in_lobby(strict_watch.ledger)
    strict_watch.takeovers(*[HOME, COPY] * 3, HOME)
    strict_watch.lobby_event(session="s7", version=7, at=AT + 7000, address=COPY)
    last = {"event": "disconnected", "session": "s6", "version": 6, "at": AT + 7000}
    strict_watch.calls.fails["TransactWriteItems"] = ConnectionError("cut off")
    with pytest.raises(ConnectionError):
        strict_watch.lobby_event(reason="DUPLICATE_CLIENTID", **last)
    del strict_watch.calls.fails["TransactWriteItems"]
    assert strict_watch.device().devstate is State.INLOBBY
    strict_watch.lobby_event(reason="DUPLICATE_CLIENTID", **last)
    assert strict_watch.device().devstate is State.QUARANTINED
