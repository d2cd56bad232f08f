"""Puts devices of the moto lobby into states, also between the requests of a command that follows them."""

from collections.abc import Callable
from typing import Any

from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, Target, ThingName
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint


def claimed(lobby: Lobby, number: int, target: Target = HERE) -> Fingerprint:
    certid = lobby.waiting(number, f"sensor-{number}")
    lobby.ledger.claim(certid, ClaimRequest(target), "user:alice")
    return certid


def arrived(lobby: Lobby, number: int) -> Fingerprint:
    certid = claimed(lobby, number)
    commission(lobby, certid)
    arrive(lobby, certid)
    return certid


def admit_with_large_certificate(lobby: Lobby, number: int) -> Fingerprint:
    """Admit a device whose certificate has 4 kB, as those with many extensions have."""
    certid, pem = fingerprint(number), "\n".join(["x" * 64] * 64)
    lobby.ledger.admit(Identity(certid, ThingName(f"large-{number}"), pem), "service:bouncer")
    return certid


def commission(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.commission(device, "a-ats.iot.example", "service:commissioner")


def arrive(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.arrive(device, "service:arrivals")


def fail(lobby: Lobby, certid: Fingerprint) -> None:
    device = lobby.ledger.get(certid)
    assert device
    lobby.ledger.fail(device, "TARGET_ROLE_DENIED", "Run the setup command.", "service:commissioner")


def state(lobby: Lobby, certid: Fingerprint) -> State | None:
    device = lobby.ledger.get(certid)
    return device.devstate if device else None


def act_in_order(
    lobby: Lobby, *steps: Callable[[Lobby, Fingerprint], object]
) -> Callable[[Fingerprint], Callable[[int], None]]:
    """For `before_request`: apply a device's steps, one before each request from the fourth on."""

    def for_device(certid: Fingerprint) -> Callable[[int], None]:
        remaining = list(steps)

        def act(number: int) -> None:
            device = lobby.ledger.get(certid)
            if remaining and device and device.generation and number >= 4:
                remaining.pop(0)(lobby, certid)

        return act

    return for_device


def claim_of(lobby: Lobby, certid: Fingerprint) -> Any:
    """Return target, profile and config in the ledger, or None."""
    device = lobby.ledger.get(certid)
    return device and (device.target, device.profile, device.config)
