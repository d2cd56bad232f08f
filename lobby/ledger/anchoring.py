"""Anchors entries without an anchor: `python -m lobby.ledger.anchoring BUCKET`, with the lobby account's credentials.

Use it once after an upgrade, for entries that are older than the notary, and for entries that the notary's stream has
lost, which a verification reports as NOT_ANCHORED. Find the cause first, because an anchored entry counts as genuine.
The command can run at any time and be repeated. It reports invalid histories and does not anchor them. It scans the
whole table, which no Lambda may do.

Exit status: 0 everything is anchored, 1 some histories are invalid, 2 wrong usage.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lobby.aws.clients import LobbyClients, session
from lobby.domain.device import Entry
from lobby.domain.history.history_audit import Fault, Verdict
from lobby.ledger.connection import use_aws_region
from lobby.ledger.histories.anchor_runs import AnchoredEntry, runs_of
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_region

_ANCHORABLE: Final = (None, Fault.NOT_ANCHORED)
"""The faults with which a history is anchored: it is valid except for missing anchors."""


@dataclass
class AnchoringResult:
    """The number of entries anchored and of devices verified, and the devices with an invalid history."""

    entries: int = 0
    devices: int = 0
    invalid: dict[Fingerprint, Verdict] = field(default_factory=dict)

    def lines(self) -> list[str]:
        lines = [
            f"not anchored, because its history is invalid: {certid}: entry {each.seq}: {each.fault}: {each.message}"
            for certid, each in self.invalid.items()
        ]
        return [*lines, f"entries anchored: {self.entries}, of {self.devices} devices"]


def anchor_all(ledger: Ledger, anchors: Anchors, verify: Callable[[Fingerprint], Verdict | None]) -> AnchoringResult:
    """Anchor every entry of every valid history. Raise `ClientError`; entries anchored before stay anchored."""
    result = AnchoringResult()
    for certid in _devices():
        verdict = verify(certid)
        result.devices += 1
        if verdict is None or verdict.fault not in _ANCHORABLE:
            result.invalid |= {certid: verdict} if verdict else {}
        elif verdict.anchored < verdict.entries:
            result.entries += _anchor_missing(certid, ledger, anchors)
    return result


def _anchor_missing(certid: Fingerprint, ledger: Ledger, anchors: Anchors) -> int:
    """Anchor the entries of a device that have no anchor and return their number."""
    anchored = {anchor.seq for anchor in anchors.of(certid)}
    entries = [each for each in ledger.entries(certid) if isinstance(each, Entry) and each.seq not in anchored]
    runs = runs_of(AnchoredEntry(certid, each.seq, each.hash) for each in entries)
    return sum(len(run.hashes) for run in runs if anchors.put(run))


def _devices() -> Iterator[Fingerprint]:
    """Yield every device with a history once. A scan returns a device's entries together."""
    last = None
    for row in HistoryRow.scan(attributes_to_get=["certid"]):
        if row.certid != last:
            last = row.certid
            yield Fingerprint(row.certid)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("got no bucket, want one: the stack's output NotaryBucket", file=sys.stderr)
        return 2
    clients = LobbyClients()
    ledger = Ledger(parse_region(session().get_config_variable("region")))
    anchors = Anchors(lambda: clients.s3, arguments[0])
    result = anchor_all(ledger, anchors, Histories(ledger, anchors).verify)
    print("\n".join(result.lines()))
    return 1 if result.invalid else 0


if __name__ == "__main__":
    use_aws_region()
    sys.exit(main(sys.argv[1:]))
