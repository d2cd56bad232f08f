"""DynamoDB units of one onboarding, step by step.

The Lambdas' ledger code runs once more in this process, on separate tables in an account without Lambdas. Write units
are those that the emulator reports; it computes them from items and indexes like AWS. It does not do so for reads, so
read units are computed from item sizes.
"""

from datetime import timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import now
from lobby.ledger.models import MODELS
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import parse_target
from tests.bench.capacity import query_units
from tests.bench.deployment import LobbyUnderTest, NewDevice
from tests.bench.dynamodb import Consumption, Recording, recorded_consumption
from tests.bench.report import Section

_SEPARATE_ACCOUNT: Final = parse_target("900000000009", "eu-north-1")
_READS: Final = ("GetItem", "Query")
_ACTOR: Final = "service:bench"


def section(lobby: LobbyUnderTest) -> Section:
    """Return a section with a line for each step, and their sum."""
    identity = _identity(lobby.new_device())
    with recorded_consumption(lobby, _SEPARATE_ACCOUNT) as recording:
        for model in MODELS:
            if not model.exists():
                model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        targets = Targets(lambda: "0" * 32)
        targets.register(parse_target("200000000002", "eu-west-1"), "Bench", (), _ACTOR)
        recording.take()
        steps = _steps(Ledger(_SEPARATE_ACCOUNT.region), targets, identity, recording)
        lines = [(step, *_units(calls)) for step, calls in steps]
        heartbeat = _heartbeat(_identity(lobby.new_device()), recording)
    total = ("sum", *(f"{sum(float(line[column]) for line in lines):g}" for column in (1, 2)), "")
    return Section(
        "DynamoDB units of one onboarding (indexes included)",
        ("step", "RRU", "WRU", "calls"),
        (*lines, total, ("heartbeat of a waiting device, once in half an hour", *_units(heartbeat))),
        ("WRU as the emulator reports them; RRU computed from item sizes (4 kB a unit, consistent reads).",),
    )


def _steps(
    ledger: Ledger, targets: Targets, identity: Identity, recording: Recording
) -> list[tuple[str, list[Consumption]]]:
    """Return the calls that each Lambda makes through the ledger, in the order of an onboarding."""
    target = parse_target("200000000002", "eu-west-1")
    steps: list[tuple[str, list[Consumption]]] = []
    ledger.admit(identity, _ACTOR)
    steps.append(("admit (bouncer)", recording.take()))
    ledger.hello(_read(ledger, identity), "1.0.0", _ACTOR)
    steps.append(("first hello (receptionist)", recording.take()))
    targets.get(target)
    ledger.claim(identity.certid, ClaimRequest(target), _ACTOR)
    steps.append(("claim (API)", recording.take()))
    claimed = _read(ledger, identity)
    recording.take()
    ledger.commission(claimed, "127.65.231.96", _ACTOR)
    steps.append(("commission (commissioner)", recording.take()))
    ledger.arrive(_read(ledger, identity), _ACTOR)
    steps.append(("arrive (arrivals)", recording.take()))
    return steps


def _heartbeat(identity: Identity, recording: Recording) -> list[Consumption]:
    """Return the calls of a hello an hour after the first one."""
    ledger = Ledger(_SEPARATE_ACCOUNT.region)
    ledger.admit(identity, _ACTOR)
    device = ledger.hello(_read(ledger, identity), "1.0.0", _ACTOR)
    recording.take()
    Ledger(_SEPARATE_ACCOUNT.region, lambda: now() + timedelta(hours=1)).record_heartbeat(device, "1.0.0")
    return recording.take()


def _identity(device: NewDevice) -> Identity:
    return Identity(device.certid, device.name, device.paths.certificate.read_text())


def _read(ledger: Ledger, identity: Identity) -> Device:
    device = ledger.get(identity.certid)
    if device is None:
        raise ValueError(f"got no row of {identity.name}, want the row that was just written")
    return device


def _units(calls: list[Consumption]) -> tuple[str, str, str]:
    reads = sum(query_units(call.items, consistent=True) for call in calls if call.operation in _READS)
    writes = sum(call.units for call in calls if call.operation not in _READS)
    return f"{reads:g}", f"{writes:g}", ", ".join(call.operation for call in calls)
