"""What an onboarding costs in DynamoDB's units, step by step.

The Lambdas' ledger code runs once more here, on tables of its own in an account that has no Lambdas. Writes are as the
emulator reports them, which weighs items and indexes as AWS does; reads it does not weigh, so they are computed.
"""

from datetime import timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import now
from lobby.ledger.models import MODELS
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
from lobby.names import parse_target
from tests.bench.capacity import query_units
from tests.bench.dynamodb import Consumption, Recorded, counted
from tests.bench.report import Section
from tests.bench.stage import Stage

_ELSEWHERE: Final = parse_target("900000000009", "eu-north-1")
_READS: Final = ("GetItem", "Query")
_ACTOR: Final = "service:bench"


def section(stage: Stage) -> Section:
    """A line for each step, and their sum."""
    device = stage.new_device()
    identity = Identity(device.certid, device.name, device.paths.certificate.read_text())
    with counted(stage, _ELSEWHERE) as recorded:
        for model in MODELS:
            if not model.exists():
                model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
        targets = Targets(lambda: "0" * 32)
        targets.register(parse_target("200000000002", "eu-west-1"), "Bench", (), _ACTOR)
        recorded.take()
        lines = [
            (step, *_units(calls)) for step, calls in _steps(Ledger(_ELSEWHERE.region), targets, identity, recorded)
        ]
        waiting = stage.new_device()
        heartbeat = _heartbeat(Identity(waiting.certid, waiting.name, waiting.paths.certificate.read_text()), recorded)
    total = ("sum", *(f"{sum(float(line[column]) for line in lines):g}" for column in (1, 2)), "")
    return Section(
        "DynamoDB units of one onboarding (indexes included)",
        ("step", "RRU", "WRU", "calls"),
        (*lines, total, ("heartbeat of a waiting device, once a minute", *_units(heartbeat))),
        ("WRU as the emulator reports them; RRU computed from the items' sizes (4 kB a unit, consistent reads).",),
    )


def _steps(
    ledger: Ledger, targets: Targets, identity: Identity, recorded: Recorded
) -> list[tuple[str, list[Consumption]]]:
    """What each Lambda asks of the ledger, in the order of the onboarding."""
    goal = parse_target("200000000002", "eu-west-1")
    done: list[tuple[str, list[Consumption]]] = []
    ledger.admit(identity, _ACTOR)
    done.append(("admit (bouncer)", recorded.take()))
    ledger.hello(_read(ledger, identity), "1.0.0", _ACTOR)
    done.append(("first hello (receptionist)", recorded.take()))
    targets.get(goal)
    ledger.claim(identity.certid, ClaimRequest(goal), _ACTOR)
    done.append(("claim (API)", recorded.take()))
    claimed = _read(ledger, identity)
    recorded.take()
    ledger.commission(claimed, "127.65.231.96", _ACTOR)
    done.append(("commission (commissioner)", recorded.take()))
    ledger.arrive(_read(ledger, identity), _ACTOR)
    done.append(("arrive (arrivals)", recorded.take()))
    return done


def _heartbeat(identity: Identity, recorded: Recorded) -> list[Consumption]:
    """The write of a hello that comes two minutes after the first one."""
    ledger = Ledger(_ELSEWHERE.region)
    ledger.admit(identity, _ACTOR)
    device = ledger.hello(_read(ledger, identity), "1.0.0", _ACTOR)
    recorded.take()
    Ledger(_ELSEWHERE.region, lambda: now() + timedelta(minutes=2)).record_heartbeat(device, "1.0.0")
    return recorded.take()


def _read(ledger: Ledger, identity: Identity) -> Device:
    device = ledger.get(identity.certid)
    if device is None:
        raise ValueError(f"got no row of {identity.name}, want the one that was just written")
    return device


def _units(calls: list[Consumption]) -> tuple[str, str, str]:
    reads = sum(query_units(call.items, consistent=True) for call in calls if call.operation in _READS)
    writes = sum(call.units for call in calls if call.operation not in _READS)
    return f"{reads:g}", f"{writes:g}", ", ".join(call.operation for call in calls)
