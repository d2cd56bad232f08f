"""Scenario outcomes and their differences. An outcome is all state after a scenario, except for values that may differ
between two runs: times, hashes and random ids; the order of history entries that Lambdas wrote at the same time; and
entries that only record that the commissioner had nothing left to do, because the row shows that. The invariants of
every outcome (valid hash chains, counts that a recount confirms, no undelivered events) are also checked here.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lobby.domain.device import Entry
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.standby.standby import StandbyStatus, parse_standby
from lobby.domain.states import Event
from lobby.ledger.clock import timestamp
from lobby.ledger.items import entry_of
from lobby.ledger.models import HistoryRow
from lobby.names import Target
from tests import aws
from tests.aws import HOME
from tests.simulation.faults.devices import A, B, Fleet, SimulatedDevice
from tests.simulation.faults.shadows import shadows_in

_VARYING = ("enteredat", "claimedat", "firstseen", "head", "version", "message", "code")
_TIMES_OF_TRANSFER = ("at", "expires", "until")
Line = tuple[str, str, str, str]
"""A history entry: event, reason, target, actor."""


@dataclass(frozen=True)
class Outcome:
    """`refusals` are the codes that users got; `reasons` are the devices' reasons, by fingerprint, and
    `standby_reasons` those of standbys that have refused a device; `violations` must be empty in every outcome."""

    rows: dict[str, dict[str, Any]]
    histories: dict[str, list[Line]]
    names: list[Any]
    targets: list[Any]
    connections: list[Any]
    enrolments: list[Any]
    paused: list[Any]
    counts: dict[str, int]
    registries: dict[str, Any]
    active: dict[str, Any]
    shadows: dict[str, Any]
    devices: dict[str, Any]
    confirmed: bool
    refusals: list[str]
    reasons: dict[str, str]
    standby_reasons: dict[str, str]
    violations: list[str]

    def differs(self, other: "Outcome", *, ignoring: Sequence[str] = ()) -> list[str]:
        """Return the differences from `other` as text."""
        differences = []
        for part in fields(self):
            mine, others = getattr(self, part.name), getattr(other, part.name)
            if part.name not in ignoring and mine != others:
                differences.append(f"{part.name}: got {_surplus(mine, others)}, want {_surplus(others, mine)}")
        return differences


def outcome_of(fleet: Fleet) -> Outcome:
    tables = aws.tables()
    rows = {row["certid"]["S"]: row for row in tables["device-lobby-ledger"]}
    entries = _histories(tables["device-lobby-history"])
    return Outcome(
        rows={certid: _row(row, timestamp(fleet.began)) for certid, row in rows.items()},
        histories={certid: _lines(of) for certid, of in entries.items()},
        names=tables["device-lobby-names"],
        targets=_targets(tables["device-lobby-targets"]),
        connections=[_without_times(row) for row in tables["device-lobby-connections"]],
        enrolments=[row for row in tables["device-lobby-enrolments"] if row["kind"]["S"] in ("enrolment", "refusals")],
        paused=[row["lane"] for row in tables["device-lobby-lanes"] if "pausedby" in row],
        counts=aws.counts(),
        registries={str(target): aws.registry(target) for target in (HOME, A, B)},
        active={str(target): _active(target) for target in (HOME, A, B)},
        shadows={str(target): shadows_in(target) for target in (A, B)},
        devices={device.name: _position(device, rows) for device in fleet.devices.values()},
        confirmed=fleet.confirmed,
        refusals=list(fleet.cloud.refusals),
        reasons={certid: row["reason"]["S"] for certid, row in rows.items() if "reason" in row},
        standby_reasons=_standby_reasons(rows),
        violations=[*_invalid_histories(rows, entries), *_miscounted(), *fleet.cloud.undelivered],
    )


def _active(target: Target) -> list[str]:
    return sorted(certid for certid, status in aws.registry(target)["certificates"].items() if status == "ACTIVE")


def _row(row: dict[str, Any], began: str) -> dict[str, Any]:
    """Replace the time of the last hello by a flag: whether it is in the scenario. Leave out whether the device has
    answered the announcement of its standby: one that knows it already does not. Leave out the times of a transfer."""
    kept_fields = {name: value for name, value in row.items() if name not in _VARYING}
    if "standby" in row:
        kept_fields["standby"] = str(replace(parse_standby(row["standby"]["S"]), announced=False))
    if "transfer" in row:
        transfer = json.loads(row["transfer"]["S"])
        kept_fields["transfer"] = {name: value for name, value in transfer.items() if name not in _TIMES_OF_TRANSFER}
    return kept_fields | ({"lastseen": row["lastseen"]["S"] >= began} if "lastseen" in row else {})


def _standby_reasons(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    standbys = {certid: parse_standby(row["standby"]["S"]) for certid, row in rows.items() if "standby" in row}
    refused = {certid: each for certid, each in standbys.items() if each.status is StandbyStatus.REFUSED}
    return {certid: each.code for certid, each in refused.items() if each.code is not None}


def _without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("at", "firstat", "lastat", "expires")}


def _targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace an external id by whether it is that of its account. Keep only the events of a target's history, sorted:
    entries of the same millisecond, which only a simulated clock makes, are in no order."""
    history = [row for row in rows if row["kind"]["S"].startswith("history#")]
    rows = [row for row in rows if row not in history]
    of = {row["target"]["S"]: row["externalid"] for row in rows if row["kind"] == {"S": "account"}}
    return [
        row | {"createdat": None, "externalid": row["externalid"] == of.get(row["target"]["S"].partition("/")[0])}
        for row in rows
    ] + sorted(({name: row.get(name) for name in ("kind", "actor", "event", "detail")} for row in history), key=str)


def _histories(items: list[dict[str, Any]]) -> dict[str, list[Entry]]:
    histories: dict[str, list[Entry]] = {}
    for item in items:
        row = HistoryRow()
        row.deserialize(item)
        histories.setdefault(row.certid, []).append(entry_of(row))
    return {certid: sorted(entries, key=lambda entry: entry.seq) for certid, entries in histories.items()}


def _lines(entries: list[Entry]) -> list[Line]:
    lines = [(entry.event.value, entry.reason or "", entry.target or "", entry.actor) for entry in entries]
    return sorted(line for line in lines if line[:3] != (Event.RETIRE.value, "", ""))


def _invalid_histories(rows: dict[str, Any], entries: dict[str, list[Entry]]) -> list[str]:
    violations = []
    for certid, of in entries.items():
        row = rows.get(certid)
        version, head = (int(row["version"]["N"]), row["head"]["S"]) if row else (None, None)
        if first_broken_entry(of, version=version, head=head) is not None:
            violations.append(f"the history of {certid} is invalid")
    return violations + [f"{certid} has no history" for certid in rows.keys() - entries.keys()]


def _miscounted() -> list[str]:
    counts, recounted = aws.counts(), aws.recounted()
    return [] if counts == recounted else [f"counted {counts}, want {recounted}"]


def _position(device: SimulatedDevice, rows: dict[str, Any]) -> Any:
    """Return where the device is connected; in a target, also its route with its standby, and whether that is of the
    current claim."""
    if device.route is None or device.connected_to in (None, HOME):
        return device.connected_to
    generation = rows[device.certid]["generation"]["N"]
    standby = device.route.standby and device.route.standby.iotep
    current = str(device.route.generation) == generation
    return device.connected_to, device.route.iotep, device.route.config, standby, current


def _surplus(mine: Any, others: Any) -> Any:
    """Return what `mine` contains and `others` does not."""
    if isinstance(mine, dict) and isinstance(others, dict):
        return {
            key: _surplus(of, others.get(key)) for key, of in mine.items() if key not in others or of != others[key]
        }
    if isinstance(mine, list) and isinstance(others, list):
        return [item for item in mine if mine.count(item) > others.count(item)]
    return mine


def is_contained(short: Sequence[Line], long: Sequence[Line]) -> bool:
    """Return whether `long` contains all lines of `short`."""
    return not Counter(short) - Counter(long)
