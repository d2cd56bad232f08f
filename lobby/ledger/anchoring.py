"""Anchors what no notary has anchored: `python -m lobby.ledger.anchoring BUCKET`, with the lobby account's credentials.

For entries that are older than the notary, once after an upgrade; and for those that its stream lost, which a
verification calls NOT_ANCHORED: find out why first, as what is anchored now is held to be true from now on. It may run
at any time and again. A history that is not whole is left as it is, and named. It reads the whole table, which nothing
else does, and so no Lambda may.

Exit status: 0 all that there is is anchored, 1 some histories are not whole, 2 wrong use.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lobby.aws.clients import LobbyClients, session
from lobby.domain.device import Entry
from lobby.domain.history_audit import Fault, Verdict
from lobby.ledger.anchors import Anchors
from lobby.ledger.histories import Histories
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_region

_MENDED: Final = (None, Fault.NOT_ANCHORED)
"""What a history may be like that is anchored: whole, but for its anchors."""


@dataclass
class Anchored:
    """What was done: entries anchored, devices looked at, and those whose history is not whole."""

    entries: int = 0
    devices: int = 0
    left: dict[Fingerprint, Verdict] = field(default_factory=dict)

    def told(self) -> list[str]:
        """Lines for whoever ran it."""
        lines = [
            f"not anchored, as it is not whole: {certid}: entry {each.seq}: {each.fault}: {each.message}"
            for certid, each in self.left.items()
        ]
        return [*lines, f"entries anchored: {self.entries}, of {self.devices} devices"]


def anchor_all(ledger: Ledger, anchors: Anchors, verify: Callable[[Fingerprint], Verdict | None]) -> Anchored:
    """Every entry of every whole history. Raises `ClientError`; what was anchored by then stays so."""
    done = Anchored()
    for certid in _everybody():
        verdict = verify(certid)
        done.devices += 1
        if verdict is None or verdict.fault not in _MENDED:
            done.left |= {certid: verdict} if verdict else {}
        elif verdict.anchored < verdict.entries:
            entries = [each for each in ledger.entries(certid) if isinstance(each, Entry)]
            done.entries += sum(anchors.put(certid, entry.seq, entry.hash) for entry in entries)
    return done


def _everybody() -> Iterator[Fingerprint]:
    """Every device with a history, once: a scan gives a device's entries together."""
    last = None
    for row in HistoryRow.scan(attributes_to_get=["certid"]):
        if row.certid != last:
            last = row.certid
            yield Fingerprint(row.certid)


def main(words: list[str]) -> int:
    if len(words) != 1:
        print("got no bucket, want one: the stack's output NotaryBucket", file=sys.stderr)
        return 2
    clients = LobbyClients()
    ledger = Ledger(parse_region(session().get_config_variable("region")))
    anchors = Anchors(lambda: clients.s3, words[0])
    done = anchor_all(ledger, anchors, Histories(ledger, anchors).verify)
    print("\n".join(done.told()))
    return 1 if done.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
