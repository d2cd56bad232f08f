"""The commissioner's part of renewals: the request, the second certificate, the retirement of the first."""

import json

import pytest
from moto.iot.models import iot_backends

from lobby.domain.device import Device
from lobby.domain.renewals.renewal import stage_of
from lobby.domain.states import State
from lobby.names import Fingerprint
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, CA, ONE, A, B, LobbyWithTargets
from tests.functional.commissioner.standby_lobby import ACTIVE, StandbyLobby

BY = "2027-12-22T12:00:00.000Z"
JOB = "service:reconciler"


class Renewing:
    """A device in A whose renewal is due and whose new certificate is registered in the lobby."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self.lobby = lobby
        lobby.start_placed()
        assert lobby.ledger.record_heartbeat(lobby.device(), "2.0", can_renew=True)
        lobby.ledger.due(self.device(), BY, JOB)
        self.pem = make.pem_of(make.device(CA, "sensor-1", serial=2000, number=3))
        iot = aws.client("iot")
        self.new = Fingerprint(
            iot.register_certificate_without_ca(certificatePem=self.pem, status="ACTIVE")["certificateId"]
        )

    def device(self) -> Device:
        return self.lobby.device()

    def work(self) -> None:
        assert self.lobby.deliver(self.lobby.record()) == []

    def sign(self) -> None:
        self.lobby.ledger.renew(self.device(), self.new, self.pem, "2049-12-31", "service:renewer")

    def arrive(self) -> None:
        self.lobby.ledger.arrive(self.device(), "service:arrivals", self.new)

    def status(self, target: object, certificate: Fingerprint) -> str | None:
        found = iot_backends[target.account][target.region].certificates.get(certificate)  # type: ignore[attr-defined]
        return found.status if found else None

    def in_lobby(self, certificate: Fingerprint) -> object:
        return aws.client("iot").describe_certificate(certificateId=certificate)["certificateDescription"]["status"]


@pytest.fixture
def renewing(lobby: LobbyWithTargets) -> Renewing:
    return Renewing(lobby)


def test_a_device_that_is_due_is_asked_in_its_target(renewing: Renewing) -> None:
    renewing.work()
    [(topic, payload)] = aws.published(A)
    assert (topic, json.loads(payload)) == ("lobby/sensor-1", {"renew": {"by": BY, "generation": 1}})
    assert (renewing.device().needs_commissioner, renewing.device().devstate) == (False, State.ARRIVED)


def test_the_new_certificate_is_registered_next_to_the_old_one_on_the_same_thing(renewing: Renewing) -> None:
    renewing.sign()
    renewing.work()
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["ACTIVE", "ACTIVE"]
    thing = iot_backends[A.account][A.region].describe_thing("sensor-1")
    assert thing.attributes["certid"] == ONE
    assert thing.attributes["claim"].endswith(f":{renewing.new}")
    assert renewing.device().devstate is State.COMMISSIONED


def test_after_the_arrival_the_old_certificate_is_inactive_everywhere(renewing: Renewing) -> None:
    renewing.sign()
    renewing.work()
    renewing.arrive()
    renewing.work()
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "ACTIVE"]
    assert [renewing.in_lobby(each) for each in (ONE, renewing.new)] == ["INACTIVE", "ACTIVE"]
    assert (stage_of(renewing.device()), renewing.device().needs_commissioner) == (None, False)


def test_a_renewed_device_moves_with_its_new_certificate_only(renewing: Renewing) -> None:
    test_after_the_arrival_the_old_certificate_is_inactive_everywhere(renewing)
    renewing.lobby.move()
    renewing.work()
    assert [renewing.status(B, each) for each in (ONE, renewing.new)] == [None, "ACTIVE"]
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]


def test_a_move_during_a_renewal_leaves_both_certificates_inactive_in_the_old_target(renewing: Renewing) -> None:
    renewing.sign()
    renewing.work()
    renewing.lobby.move()
    renewing.work()
    assert [renewing.status(B, each) for each in (ONE, renewing.new)] == ["ACTIVE", "ACTIVE"]
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]


def test_a_revocation_during_a_renewal_covers_both_certificates(renewing: Renewing) -> None:
    renewing.sign()
    renewing.work()
    renewing.lobby.revoke()
    renewing.work()
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]
    assert [renewing.in_lobby(each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]


def test_a_claim_that_changes_while_the_new_certificate_is_registered_leaves_none_behind(renewing: Renewing) -> None:
    renewing.sign()
    lobby = renewing.lobby
    lobby.calls.meanwhile["AttachPolicy"] = lambda: lobby.ledger.release(ONE, ANN)
    renewing.work()
    lobby.deliver(lobby.record())
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]


def test_where_registrations_are_removed_the_old_certificate_is_deleted_in_the_target(lobby: LobbyWithTargets) -> None:
    lobby.removes_left = True
    renewing = Renewing(lobby)
    renewing.sign()
    renewing.work()
    renewing.arrive()
    renewing.work()
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == [None, "ACTIVE"]
    assert renewing.in_lobby(ONE) == "INACTIVE"


def test_a_certificate_that_the_targets_owner_has_deleted_counts_as_retired(renewing: Renewing) -> None:
    renewing.sign()
    renewing.work()
    renewing.arrive()
    iot_backends[A.account][A.region].certificates.pop(ONE)
    renewing.work()
    assert renewing.device().retiring == ()


@pytest.fixture
def next_to_a_standby(calls: Calls, clock: Clock) -> tuple[Renewing, StandbyLobby]:
    """A device that has arrived with its new certificate, while its standby B refuses devices."""
    lobby = StandbyLobby(calls, clock)
    renewing = Renewing(lobby)
    renewing.sign()
    renewing.work()
    iot_backends[B.account][B.region].policies.clear()
    lobby.server = lobby.new_server()
    renewing.arrive()
    renewing.work()
    assert [renewing.status(place, ONE) for place in (A, B)] == ["INACTIVE", "ACTIVE"]
    return renewing, lobby


def test_a_standby_that_has_refused_a_device_retires_its_old_certificate_later(
    next_to_a_standby: tuple[Renewing, StandbyLobby],
) -> None:
    renewing, lobby = next_to_a_standby
    lobby.deploy_policy(B)
    assert lobby.deliver(lobby.prepare()) == []
    assert [renewing.status(B, each) for each in (ONE, renewing.new)] == ["INACTIVE", "ACTIVE"]
    assert (renewing.device().retiring, renewing.device().needs_commissioner) == ((), False)


def test_a_standby_that_has_refused_a_device_and_is_removed_is_cleared_of_its_old_certificate(
    next_to_a_standby: tuple[Renewing, StandbyLobby],
) -> None:
    renewing, lobby = next_to_a_standby
    lobby.standbys.set(A, None, ACTIVE, ANN)
    assert lobby.deliver(lobby.prepare()) == []
    assert [renewing.status(B, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]
    assert (renewing.device().retiring, renewing.device().needs_commissioner) == ((), False)


def test_a_device_that_is_released_before_the_retirement_keeps_no_old_certificate_in_the_lobby(
    renewing: Renewing,
) -> None:
    renewing.sign()
    renewing.work()
    renewing.arrive()
    renewing.lobby.ledger.release(ONE, ANN)
    renewing.work()
    assert [renewing.status(A, each) for each in (ONE, renewing.new)] == ["INACTIVE", "INACTIVE"]
    assert [renewing.in_lobby(each) for each in (ONE, renewing.new)] == ["INACTIVE", "ACTIVE"]
    assert (renewing.device().retiring, renewing.device().needs_commissioner) == ((), False)


def test_the_retirement_of_a_lost_certificate_sends_the_route_that_an_interrupted_run_has_not_sent(
    renewing: Renewing,
) -> None:
    renewing.sign()
    lost, ledger = renewing.new, renewing.lobby.ledger
    renewing.pem = make.pem_of(make.device(CA, "sensor-1", serial=2001, number=4))
    answer = aws.client("iot").register_certificate_without_ca(certificatePem=renewing.pem, status="ACTIVE")
    renewing.new = Fingerprint(answer["certificateId"])
    renewing.sign()
    commissioned = ledger.commission(renewing.device(), "a.example", "service:commissioner")
    aws.published().clear()
    renewing.work()
    routes = [json.loads(payload) for topic, payload in aws.published() if topic == "lobby/sensor-1"]
    assert [route["generation"] for route in routes] == [commissioned.generation]
    assert (renewing.in_lobby(lost), renewing.device().retiring) == ("INACTIVE", ())
