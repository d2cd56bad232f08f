"""Only a device with the name of a revoked one gets the revoked device's thing in the target."""

import pytest
from moto.iot.models import iot_backends

from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.targets.thing_claim import parse_claim
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.functional.commissioner.lobby_with_targets import ANN, CA, ONE, A, LobbyWithTargets

NAME = ThingName("sensor-1")
PEM = make.pem_of(make.device(CA, NAME, serial=1999, number=9))
SUCCESSOR = make.fingerprint_of(PEM)


def succeed(lobby: LobbyWithTargets) -> list[int]:
    """Admit and claim a device with the same name for the same target, and commission it."""
    with lobby.calls.uncounted():
        aws.client("iot").register_certificate_without_ca(certificatePem=PEM, status="ACTIVE")
        lobby.ledger.admit(Identity(SUCCESSOR, NAME, PEM), "service:bouncer")
        lobby.ledger.claim(SUCCESSOR, ClaimRequest(A), ANN)
    return lobby.deliver(lobby.record(SUCCESSOR))


def thing() -> dict[str, str]:
    found: dict[str, str] = (
        iot_backends[A.account][A.region].things[f"arn:aws:iot:{A.region}:{A.account}:thing/{NAME}"].attributes
    )
    return found


def state(lobby: LobbyWithTargets) -> tuple[State, str | None]:
    device = lobby.ledger.get(SUCCESSOR)
    assert device is not None
    return device.devstate, device.reason


@pytest.mark.parametrize("cleared", [True, False])
def test_a_successor_gets_the_thing_before_or_after_its_former_certificate_is_cleared(
    lobby: LobbyWithTargets, cleared: bool
) -> None:
    lobby.place()
    record = lobby.revoke()
    if cleared:
        assert lobby.deliver(record) == []
    assert succeed(lobby) == []
    assert state(lobby) == (State.COMMISSIONED, None)
    assert lobby.deliver(record) == []
    claim = parse_claim(thing()["claim"])
    assert claim is not None
    assert (thing()["certid"], claim.certid, claim.progress) == (SUCCESSOR, SUCCESSOR, "awaited")
    assert aws.status(ONE, A) == "INACTIVE"
    assert aws.status(SUCCESSOR, A) == "ACTIVE"


@pytest.mark.parametrize(
    "change",
    [
        {"claim": "1:default:arrived:888888888888/eu-west-1:" + ONE},
        {"claim": "none"},
        {"certid": "f" * 64},
    ],
)
def test_the_thing_of_another_lobby_or_device_stays(lobby: LobbyWithTargets, change: dict[str, str]) -> None:
    lobby.place()
    assert lobby.deliver(lobby.revoke()) == []
    thing().update(change)
    assert succeed(lobby) == []
    assert state(lobby) == (State.FAILED, "TARGET_NAME_TAKEN")
    assert aws.status(SUCCESSOR, A) is None
    assert Fingerprint(thing()["certid"]) != SUCCESSOR
