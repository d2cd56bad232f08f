"""What is said of a device by what its target has, and what may be done about it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from commissioner.comparison import REPAIRS, Code, Repair, compare, is_stray, orphan
from lobby.contracts import Facts
from lobby.domain.device import Device, Entry
from lobby.domain.states import Event, State
from lobby.names import Fingerprint, ThingName, parse_target

HERE, THERE = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
CERTID, OTHER = Fingerprint("ab" * 32), Fingerprint("cd" * 32)
NAME = ThingName("sensor-1")
DEVICE = Device(CERTID, State.ARRIVED, "2026-11-22T12:00:00.000Z", devicename=NAME, target=HERE, generation=1)
SOUND = Facts(CERTID, "ACTIVE", (NAME,), ("device-lobby-default",), CERTID)
DECISION = Path(__file__).parents[3] / "docs" / "decisions" / "0012-sweeper-and-reconciler.md"

FOUND: dict[str, tuple[Facts, list[Code]]] = {
    "all is well": (SOUND, []),
    "the owner's policies are the owner's": (replace(SOUND, policies=("theirs", "device-lobby-default")), []),
    "no certificate": (Facts(CERTID, None, (), (), CERTID), [Code.CERTIFICATE_MISSING]),
    "nothing at all": (Facts(CERTID, None, (), (), None), [Code.THING_MISSING, Code.CERTIFICATE_MISSING]),
    "inactive": (replace(SOUND, status="INACTIVE"), [Code.CERTIFICATE_INACTIVE]),
    "revoked by its owner": (replace(SOUND, status="REVOKED", policies=()), [Code.CERTIFICATE_REVOKED]),
    "pending": (replace(SOUND, status="PENDING_TRANSFER"), [Code.CERTIFICATE_INACTIVE]),
    "no thing": (replace(SOUND, things=(), holder=None), [Code.THING_MISSING]),
    "bound to none": (replace(SOUND, things=()), [Code.THING_UNBOUND]),
    "bound to another": (replace(SOUND, things=("a", "b")), [Code.THING_ELSEWHERE]),
    "bound to another, too": (replace(SOUND, things=(NAME, "b")), [Code.THING_ELSEWHERE]),
    "its name is another's": (replace(SOUND, things=(), holder=OTHER), [Code.THING_OF_ANOTHER]),
    "its thing lost the attribute": (replace(SOUND, holder=""), [Code.THING_OF_ANOTHER]),
    "no policy": (replace(SOUND, policies=("theirs",)), [Code.POLICY_MISSING]),
    "another profile's": (
        replace(SOUND, policies=("device-lobby-camera",)),
        [Code.POLICY_MISSING, Code.POLICY_OF_ANOTHER_PROFILE],
    ),
    "another profile's, too": (
        replace(SOUND, policies=("device-lobby-camera", "device-lobby-default")),
        [Code.POLICY_OF_ANOTHER_PROFILE],
    ),
    "much at once": (
        Facts(CERTID, "INACTIVE", (), (), None),
        [Code.THING_MISSING, Code.CERTIFICATE_INACTIVE, Code.POLICY_MISSING],
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_a_device_is_as_it_should_be_or_it_is_said_what_is_not(what: str) -> None:
    facts, codes = FOUND[what]
    found = compare(DEVICE, facts)
    assert [each.code for each in found] == codes
    assert all(str(HERE) in each.message and ", want " in each.message for each in found)


def test_what_the_owner_decided_and_what_is_not_ours_is_told_and_left_alone() -> None:
    assert {code for code, mend in REPAIRS.items() if mend is None} == {
        Code.CERTIFICATE_REVOKED,
        Code.THING_OF_ANOTHER,
        Code.THING_ELSEWHERE,
        Code.ORPHANED_NOT_OURS,
    }
    assert {code for code, mend in REPAIRS.items() if mend is Repair.DEACTIVATE} == {Code.ORPHANED}


def test_the_table_of_what_may_be_touched_is_the_one_in_the_record() -> None:
    lines = [line.split("|") for line in DECISION.read_text().splitlines() if re.match("[|] `[A-Z_]+` ", line)]
    table = {cells[1].strip().strip("`"): cells[3].strip().strip("`") for cells in lines}
    assert table == {code.value: mend.value if mend else "–" for code, mend in REPAIRS.items()}


@pytest.mark.parametrize(
    ("device", "stray"),
    [
        (None, True),
        (DEVICE, False),
        (replace(DEVICE, devstate=State.EXPECTED), False),
        (replace(DEVICE, devstate=State.FAILED), False),
        (replace(DEVICE, devstate=State.REFUSED), False),
        (replace(DEVICE, devstate=State.REVOKED), True),
        (replace(DEVICE, devstate=State.REVOKED, targets_to_clear=(HERE,)), False),
        (replace(DEVICE, target=THERE), True),
        (replace(DEVICE, target=THERE, targets_to_clear=(HERE,)), False),
        (replace(DEVICE, devstate=State.INLOBBY, target=None), True),
    ],
)
def test_a_thing_that_no_claim_answers_for_is_a_stray(device: Device | None, stray: bool) -> None:
    assert is_stray(device, HERE) is stray


def entry(after: State, target: object = HERE) -> Entry:
    return Entry(CERTID, 1, "2026-11-22T12:00:00.000Z", "user:ann", Event.CLAIM, None, after, 1, None, str(target), "")


@pytest.mark.parametrize(
    ("facts", "history", "code"),
    [
        (SOUND, [entry(State.CLAIMED)], Code.ORPHANED),
        (SOUND, [entry(State.CLAIMED, THERE), entry(State.COMMISSIONED)], Code.ORPHANED),
        (SOUND, [entry(State.FAILED)], Code.ORPHANED),
        (SOUND, [], Code.ORPHANED_NOT_OURS),
        (SOUND, [entry(State.EXPECTED)], Code.ORPHANED_NOT_OURS),
        (SOUND, [entry(State.COMMISSIONED, THERE)], Code.ORPHANED_NOT_OURS),
        (replace(SOUND, status="INACTIVE"), [entry(State.COMMISSIONED)], None),
        (replace(SOUND, status="REVOKED"), [entry(State.COMMISSIONED)], None),
        (replace(SOUND, status=None, things=()), [entry(State.COMMISSIONED)], None),
        (replace(SOUND, things=()), [entry(State.COMMISSIONED)], None),
        (replace(SOUND, things=("another",)), [entry(State.COMMISSIONED)], None),
    ],
)
def test_a_stray_is_an_orphan_where_it_can_connect_and_ours_where_the_history_says_so(
    facts: Facts, history: list[Entry], code: Code | None
) -> None:
    found = orphan(facts, NAME, history, HERE)
    assert (found.code if found else None) == code
