"""A ledger with many devices, and what a filter selects from it, for tests of lists."""

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.lists.listing import Filter, Page, devices
from lobby.names import Fingerprint, RenewalStatus, ThingName, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")


MANY, BEFORE = 130, "2026-11-22T12:01:00.000Z"
DUE, OVERDUE = RenewalStatus.DUE, RenewalStatus.OVERDUE


def device(number: int) -> Device:
    state = (State.INLOBBY, State.ARRIVED, State.ARRIVED, State.FAILED, State.REVOKED)[number % 5]
    return Device(
        Fingerprint(f"{number:064x}"),
        state,
        f"2026-11-22T12:{number // 60:02}:{number % 60:02}.000Z",
        devicename=ThingName(f"sensor-{number:04}"),
        devicecert="PEM",
        target=None if state is State.INLOBBY else (A if number % 2 else B),
        reason=("TARGET_LIMIT", "UNKNOWN_TARGET")[number % 2] if state is State.FAILED else None,
        renew_by=None if number % 3 else f"{2020 if number % 2 else 9000}-01-01T00:{number // 12:02}:00.000Z",
    )


def numbers(page: Page) -> list[int]:
    return [int(found.certid, 16) for found in page.devices]


def every_page(wanted: Filter, count: int) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        page = devices(wanted, count, cursor)
        pages.append(numbers(page))
        cursor = page.cursor
        if cursor is None:
            return pages


def expected(wanted: Filter) -> set[int]:
    return {
        int(each.certid, 16)
        for each in map(device, range(MANY))
        if wanted.state in (None, each.devstate)
        and wanted.target in (None, each.target)
        and (each.devicename or "").startswith(wanted.name_prefix or "")
        and each.certid.startswith(wanted.fingerprint_prefix or "")
        and wanted.reason in (None, each.reason)
        and (wanted.renewal is None or (each.renew_by or "9999") < ("3000" if wanted.renewal is OVERDUE else "9999"))
        and (wanted.entered_before is None or each.enteredat < wanted.entered_before)
    }


FILTERS = {
    "all": Filter(),
    "state": Filter(State.INLOBBY),
    "empty state": Filter(State.EXPECTED),
    "target": Filter(target=A),
    "prefix": Filter(name_prefix="sensor-00"),
    "state and target": Filter(State.FAILED, A),
    "state and prefix": Filter(State.ARRIVED, name_prefix="sensor-01"),
    "target and prefix": Filter(target=B, name_prefix="se"),
    "all three": Filter(State.REVOKED, B, "sensor-0"),
    "no such name": Filter(name_prefix="zz"),
    "fingerprint": Filter(fingerprint_prefix="0" * 62),
    "full fingerprint": Filter(fingerprint_prefix=f"{7:064x}"),
    "no such fingerprint": Filter(fingerprint_prefix="ffff"),
    "fingerprint and the rest": Filter(State.ARRIVED, A, "sensor-0", "0000", None, BEFORE),
    "state and before": Filter(State.ARRIVED, entered_before=BEFORE),
    "target and before": Filter(target=A, entered_before=BEFORE),
    "prefix and before": Filter(name_prefix="sensor-0", entered_before=BEFORE),
    "state and reason": Filter(State.FAILED, reason="TARGET_LIMIT"),
    "reason alone": Filter(reason="TARGET_LIMIT"),
    "before alone": Filter(entered_before=BEFORE),
    "due": Filter(renewal=DUE),
    "overdue": Filter(renewal=OVERDUE),
    "overdue in a state": Filter(State.ARRIVED, renewal=OVERDUE),
    "due of a target": Filter(target=A, renewal=DUE),
    "due with a name": Filter(name_prefix="sensor-00", renewal=DUE),
    "overdue with a fingerprint": Filter(fingerprint_prefix="0" * 62, renewal=OVERDUE),
    "due and the rest": Filter(State.ARRIVED, B, "sensor-0", "0000", None, BEFORE, DUE),
}
