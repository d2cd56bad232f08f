"""How a story ended: everything that is left of it, less what any two runs may have otherwise, and what differs.

Put aside are times, hashes and ids that are drawn; the order in which the history tells what Lambdas did side by side;
and entries that only say that the commissioner had nothing left to do, as the row says so itself. What has to hold in
any ending (whole hash chains, counts that a recount confirms, nothing given up) is looked at here, too.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from lobby.domain.device import Entry
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.states import Event
from lobby.ledger.clock import timestamp
from lobby.ledger.items import entry_of
from lobby.ledger.models import HistoryRow
from lobby.names import Target
from tests import aws
from tests.aws import HOME
from tests.simulation.faults.field import A, B, Field, FieldDevice

_DRAWN = ("enteredat", "claimedat", "firstseen", "head", "version", "message", "code")
Line = tuple[str, str, str, str]
"""An entry: the event, why, where, who."""


@dataclass(frozen=True)
class Ending:
    """`answers` are the codes that people got whom the lobby refused; `reasons` are what an operator reads, by device;
    `wrong` is what no ending may show."""

    rows: dict[str, dict[str, Any]]
    histories: dict[str, list[Line]]
    names: list[Any]
    targets: list[Any]
    counts: dict[str, int]
    registries: dict[str, Any]
    active: dict[str, Any]
    devices: dict[str, Any]
    confirmed: bool
    answers: list[str]
    reasons: dict[str, str]
    wrong: list[str]

    def differs(self, other: "Ending", *, but: Sequence[str] = ()) -> list[str]:
        """Where this is not as the other, in words."""
        found = []
        for part in fields(self):
            mine, others = getattr(self, part.name), getattr(other, part.name)
            if part.name not in but and mine != others:
                found.append(f"{part.name}: got {_apart(mine, others)}, want {_apart(others, mine)}")
        return found


def ending_of(field: Field) -> Ending:
    held = aws.tables()
    rows = {row["certid"]["S"]: row for row in held["device-lobby-ledger"]}
    entries = _histories(held["device-lobby-history"])
    return Ending(
        rows={certid: _row(row, timestamp(field.began)) for certid, row in rows.items()},
        histories={certid: _told(of) for certid, of in entries.items()},
        names=held["device-lobby-names"],
        targets=_targets(held["device-lobby-targets"]),
        counts=aws.counts(),
        registries={str(target): aws.registry(target) for target in (HOME, A, B)},
        active={str(target): _active(target) for target in (HOME, A, B)},
        devices={device.name: _standing(device, rows) for device in field.devices.values()},
        confirmed=field.confirmed,
        answers=list(field.cloud.answers),
        reasons={certid: row["reason"]["S"] for certid, row in rows.items() if "reason" in row},
        wrong=[*_broken(rows, entries), *_miscounted(), *field.cloud.undelivered],
    )


def _active(target: Target) -> list[str]:
    return sorted(certid for certid, status in aws.registry(target)["certificates"].items() if status == "ACTIVE")


def _row(row: dict[str, Any], began: str) -> dict[str, Any]:
    """Of the moment when a device was last seen: whether the story saw it."""
    kept = {name: value for name, value in row.items() if name not in _DRAWN}
    return kept | ({"lastseen": row["lastseen"]["S"] >= began} if "lastseen" in row else {})


def _targets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of an external id: whether it is the one of its account."""
    of = {row["target"]["S"]: row["externalid"] for row in rows if row["kind"] == {"S": "account"}}
    return [
        row | {"createdat": None, "externalid": row["externalid"] == of.get(row["target"]["S"].partition("/")[0])}
        for row in rows
    ]


def _histories(items: list[dict[str, Any]]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for item in items:
        row = HistoryRow()
        row.deserialize(item)
        found.setdefault(row.certid, []).append(entry_of(row))
    return {certid: sorted(entries, key=lambda entry: entry.seq) for certid, entries in found.items()}


def _told(entries: list[Entry]) -> list[Line]:
    lines = [(entry.event.value, entry.reason or "", entry.target or "", entry.actor) for entry in entries]
    return sorted(line for line in lines if line[:3] != (Event.RETIRE.value, "", ""))


def _broken(rows: dict[str, Any], entries: dict[str, list[Entry]]) -> list[str]:
    found = []
    for certid, of in entries.items():
        row = rows.get(certid)
        version, head = (int(row["version"]["N"]), row["head"]["S"]) if row else (None, None)
        if first_broken_entry(of, version=version, head=head) is not None:
            found.append(f"the history of {certid} is broken")
    return found + [f"{certid} has no history" for certid in rows.keys() - entries.keys()]


def _miscounted() -> list[str]:
    counts, recounted = aws.counts(), aws.recounted()
    return [] if counts == recounted else [f"counted {counts}, want {recounted}"]


def _standing(device: FieldDevice, rows: dict[str, Any]) -> Any:
    """Where it is; and in a target, which route it follows, and whether that is the present claim's."""
    if device.route is None or device.place in (None, HOME):
        return device.place
    generation = rows[device.certid]["generation"]["N"]
    return device.place, device.route.iotep, device.route.config, str(device.route.generation) == generation


def _apart(mine: Any, others: Any) -> Any:
    """What the first has otherwise, or more of."""
    if isinstance(mine, dict) and isinstance(others, dict):
        return {key: _apart(of, others.get(key)) for key, of in mine.items() if key not in others or of != others[key]}
    if isinstance(mine, list) and isinstance(others, list):
        return [item for item in mine if mine.count(item) > others.count(item)]
    return mine


def is_told_within(short: Sequence[Line], long: Sequence[Line]) -> bool:
    """Whether `long` tells all of `short`, and maybe more."""
    return not Counter(short) - Counter(long)
