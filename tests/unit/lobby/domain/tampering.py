"""A valid history with its row and anchors, and the ways to tamper with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lobby.domain.device import GENESIS, Device, Entry
from lobby.domain.history.history_audit import Anchor, Fault, Unreadable, Verdict, verify
from lobby.domain.states import Event, State
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint, Target, parse_target_key
from tests.certificates import NOW

CERTID = Fingerprint("ab" * 32)


HOME = parse_target_key("222222222222/eu-west-1")


LIFE = (
    (Event.ADMIT, None, State.KNOCKING),
    (Event.HELLO, State.KNOCKING, State.INLOBBY),
    (Event.CLAIM, State.INLOBBY, State.CLAIMED),
    (Event.COMMISSION, State.CLAIMED, State.COMMISSIONED),
    (Event.ARRIVE, State.COMMISSIONED, State.ARRIVED),
)


LONG_AGO = timedelta(days=3)


@dataclass
class Case:
    """The entries, the row and the anchors of one device."""

    entries: list[Entry | Unreadable]
    row: Device | Unreadable | None
    anchors: list[Anchor]
    now: datetime = field(default=NOW)

    def verdict(self) -> Verdict:
        return verify(self.entries, self.row, self.anchors, self.now)

    def entry(self, seq: int) -> Entry:
        (found,) = [each for each in self.entries if each.seq == seq]
        assert isinstance(found, Entry)
        return found

    def device(self) -> Device:
        assert isinstance(self.row, Device)
        return self.row


def chain(changed: int = 0, actor: str = "user:ann", age: timedelta = LONG_AGO) -> list[Entry]:
    """Return five entries; those from number `changed` on have another actor."""
    entries: list[Entry] = []
    for number, (event, before, after) in enumerate(LIFE, start=1):
        target = str(HOME) if number > 2 else None
        who = "user:mallory" if 0 < changed <= number else actor
        entry = Entry(
            CERTID,
            number,
            timestamp(NOW - age + timedelta(seconds=number)),
            who,
            event,
            before,
            after,
            1 if number > 2 else 0,
            None,
            target,
            entries[-1].hash if entries else GENESIS,
        )
        entries.append(entry.with_hash())
    return entries


def row_after(entries: Sequence[Entry]) -> Device:
    last = entries[-1]
    assert last.after
    return Device(
        CERTID,
        last.after,
        last.at,
        version=last.seq,
        head=last.hash,
        generation=last.generation,
        target=HOME if last.target else None,
    )


def anchors_of(entries: Sequence[Entry], at: datetime = NOW - LONG_AGO + timedelta(minutes=1)) -> list[Anchor]:
    return [Anchor(entry.seq, entry.hash, timestamp(at)) for entry in entries]


def valid() -> Case:
    entries = chain()
    return Case([*entries], row_after(entries), anchors_of(entries))


def altered(case: Case) -> None:
    case.entries[2] = replace(case.entry(3), actor="user:mallory")


def altered_with_a_new_hash(case: Case) -> None:
    case.entries[2] = replace(case.entry(3), actor="user:mallory").with_hash()


def removed(case: Case) -> None:
    del case.entries[2]


def removed_first(case: Case) -> None:
    del case.entries[0]


def truncated(case: Case) -> None:
    del case.entries[3:]


def truncated_with_the_row(case: Case) -> None:
    del case.entries[3:]
    case.row = row_after([case.entry(seq) for seq in (1, 2, 3)])


def truncated_without_anchors(case: Case) -> None:
    """Truncate a history that is older than the notary. Only the row shows the change."""
    truncated(case)
    case.anchors = []


def all_removed(case: Case) -> None:
    case.entries, case.row = [], None


def row_removed(case: Case) -> None:
    case.row = None


def rewritten_to_the_end_with_the_row(case: Case) -> None:
    forged = chain(changed=3)
    case.entries, case.row = [*forged], row_after(forged)


def rewritten_from_the_first(case: Case) -> None:
    forged = chain(changed=1)
    case.entries, case.row = [*forged], row_after(forged)


def rewritten_and_anchored_too(case: Case) -> None:
    """A forged entry replaces a removed one, and the notary has anchored both."""
    forged = chain(changed=4)
    case.entries, case.row = [*forged], row_after(forged)
    case.anchors += anchors_of(forged[3:], NOW)


def last_replaced_with_the_row(case: Case) -> None:
    forged = chain(changed=5)
    case.entries, case.row = [*forged], row_after(forged)


def replaced_and_restored(case: Case) -> None:
    case.anchors.append(Anchor(2, "f" * 64, timestamp(NOW)))


def made_unreadable(case: Case) -> None:
    case.entries[3] = Unreadable(4, "'nonsense' is not a valid Event")


def an_item_before_the_first(case: Case) -> None:
    case.entries.insert(0, Unreadable(0, "no such number"))


def swapped(case: Case) -> None:
    case.entries[1], case.entries[2] = replace(case.entry(3), seq=2), replace(case.entry(2), seq=3)


def anchor_deleted(case: Case) -> None:
    case.anchors[3] = replace(case.anchors[3], removed=True)


def row_with_another_target(case: Case) -> None:
    case.row = replace(case.device(), target=Target(HOME.account, parse_target_key("222222222222/us-east-1").region))


def row_with_another_state(case: Case) -> None:
    case.row = replace(case.device(), devstate=State.INLOBBY)


def row_of_another_claim(case: Case) -> None:
    case.row = replace(case.device(), generation=7)


def row_of_another_head(case: Case) -> None:
    case.row = replace(case.device(), head="f" * 64)


def row_with_a_lower_version(case: Case) -> None:
    case.row = replace(case.device(), version=3)


def row_with_a_much_higher_version(case: Case) -> None:
    case.row = replace(case.device(), version=10**30)


def row_unreadable(case: Case) -> None:
    case.row = Unreadable(0, "'nonsense' is not a valid State")


def never_anchored(case: Case) -> None:
    case.anchors = []


def one_not_anchored(case: Case) -> None:
    del case.anchors[1]


TAMPERED: dict[Callable[[Case], None], tuple[int, Fault]] = {
    altered: (3, Fault.ALTERED),
    altered_with_a_new_hash: (3, Fault.REPLACED),
    removed: (3, Fault.MISSING),
    removed_first: (1, Fault.MISSING),
    truncated: (4, Fault.MISSING),
    truncated_with_the_row: (4, Fault.MISSING),
    truncated_without_anchors: (4, Fault.MISSING),
    all_removed: (1, Fault.MISSING),
    row_removed: (5, Fault.ROW_MISSING),
    rewritten_to_the_end_with_the_row: (3, Fault.REPLACED),
    rewritten_from_the_first: (1, Fault.REPLACED),
    rewritten_and_anchored_too: (4, Fault.ANCHORED_TWICE),
    last_replaced_with_the_row: (5, Fault.REPLACED),
    replaced_and_restored: (2, Fault.ANCHORED_TWICE),
    made_unreadable: (4, Fault.ALTERED),
    an_item_before_the_first: (0, Fault.ALTERED),
    swapped: (2, Fault.ALTERED),
    anchor_deleted: (4, Fault.ANCHOR_REMOVED),
    row_with_another_target: (5, Fault.ROW_DIFFERS),
    row_with_another_state: (5, Fault.ROW_DIFFERS),
    row_of_another_claim: (5, Fault.ROW_DIFFERS),
    row_of_another_head: (5, Fault.ROW_DIFFERS),
    row_with_a_lower_version: (5, Fault.ROW_DIFFERS),
    row_with_a_much_higher_version: (6, Fault.MISSING),
    row_unreadable: (5, Fault.ROW_DIFFERS),
    never_anchored: (1, Fault.NOT_ANCHORED),
    one_not_anchored: (2, Fault.NOT_ANCHORED),
}
