"""Another lobby, with an id, that shares a target with the lobby of the simulation. Its commissioner does the real work
in the target for a device of its own ledger. That ledger is not simulated, because the lobbies meet
in the target only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import pytest
from moto.iot.models import iot_backends

from commissioner.errors import TargetRefusal
from commissioner.target_gateway import registry
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.sessions import Sessions
from lobby.deployment import NAMES
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.targets.thing_claim import CERTID, CLAIM, ThingClaim, parse_claim
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.ledger.targets.target_registry import RecentTargets
from lobby.lobby_names import LobbyId, LobbyNames
from lobby.names import Fingerprint, Target, ThingName
from tests import aws
from tests import certificates as make
from tests.simulation.faults.lambdas import PROFILES

ID: Final = LobbyId("staging")
KEY: Final = f"888888888888/eu-west-1/{ID}"
OTHER_NAMES: Final = LobbyNames(ID)
POLICY: Final = OTHER_NAMES.policy("default")
_AT: Final = "2026-11-22T12:00:00.000Z"
_COMPLETED: Final = Transfer(TransferStep.COMPLETED, "a" * 32, "us", _AT, "user:eve", "", endpoint="us.example")
_acts: ContextVar[bool] = ContextVar("acts", default=False)
"""Whether this actor is the other lobby. Each greenlet has its own context."""


@contextmanager
def names_of_actors() -> Iterator[None]:
    """Let the other lobby attach and detach its own policies: names of policies belong to a process."""

    def policy(profile: str) -> str:
        return (OTHER_NAMES if _acts.get() else NAMES).policy(profile)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "profile_policy", policy)
        yield


class _Register(RecentTargets):
    """The other lobby's register of targets, which contains each target."""

    def __init__(self) -> None:
        """Cache nothing."""

    def get(self, target: Target, profile: str | None = None) -> RegisteredTarget:  # noqa: ARG002  # the base's
        return RegisteredTarget(target, "shared", "external-id-9", ("default",), "user:bob", _AT)


@dataclass
class OtherLobby:
    """`device` is its row; `refusal` is the code with which the target has refused the device."""

    device: Device
    target: Target
    refusal: str = ""

    def register(self) -> None:
        """Register the device in the target."""
        self._act(lambda gateway: gateway.register(self.device))

    def clear(self) -> None:
        """Clear the target of the device, which was transferred."""
        self._act(lambda gateway: gateway.clear(self.target, self.device))

    def _act(self, work: Callable[[TargetGateway], object]) -> None:
        sessions = Sessions(aws.client("sts"), lambda: datetime.now(UTC))
        token = _acts.set(True)
        try:
            work(TargetGateway(_Register(), sessions, PROFILES, KEY))
        except TargetRefusal as refused:
            self.refusal = refused.code
        finally:
            _acts.reset(token)

    def has_registered(self) -> list[str]:
        """Return what is missing of the device's registration in the target."""
        device, found = self.device, aws.registry(self.target)
        arn = f"arn:aws:iot:{self.target.region}:{self.target.account}:cert/{device.current}"
        thing = found["things"].get(device.devicename, {})
        claim = parse_claim(thing.get(CLAIM))
        parts = {
            "certificate": found["certificates"].get(device.current) == "ACTIVE",
            "thing": thing.get(CERTID) == device.certid and (arn, device.devicename) in found["principals"],
            "claim": claim == ThingClaim(device.generation, "default", KEY, device.current),
            "policy": [policy for holder, policy in found["policies"] if holder == arn] == [POLICY],
        }
        return [part for part, is_there in parts.items() if not is_there]


def other_lobby(name: str, current: Fingerprint, target: Target, first: Fingerprint | None = None) -> OtherLobby:
    """Return another lobby with a device that is claimed for `target`, whose certificate `current` AWS IoT has in the
    lobby of the simulation."""
    pem = iot_backends[aws.LOBBY][aws.REGION].certificates[current].certificate_pem
    return with_pem(name, pem, target, first)


def with_pem(name: str, pem: str, target: Target, first: Fingerprint | None = None) -> OtherLobby:
    """Return another lobby with a device that is claimed for `target`. `first`: its first certificate, if it has
    renewed that."""
    current = make.fingerprint_of(pem)
    device = Device(first or current, State.CLAIMED, _AT, generation=1, devicename=ThingName(name), devicecert=pem)
    return OtherLobby(replace(device, target=target, certificate=current if first else None), target)


def transferred_from(lobby: OtherLobby) -> OtherLobby:
    """Return the lobby after its device was transferred to the lobby of the simulation."""
    gone = replace(lobby.device, devstate=State.TRANSFERRED, generation=2, target=None, transfer=_COMPLETED)
    return OtherLobby(gone, lobby.target)
