"""Which differences are reported for a device, and which repairs are permitted."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commissioner.reconciliation.comparison import REPAIRS, DifferenceCode, Repair, compare, is_stray, orphan
from lobby.contracts.inspector import Facts
from lobby.domain.device import Device, Entry
from lobby.domain.states import Event, State
from lobby.domain.targets.profile import Profile, Profiles, ThingType
from lobby.domain.targets.thing import ThingFacts
from lobby.domain.targets.thing_claim import Progress, ThingClaim
from lobby.names import Fingerprint, ThingName, parse_target

HERE, THERE = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
CERTID, OTHER = Fingerprint("ab" * 32), Fingerprint("cd" * 32)
NAME = ThingName("sensor-1")
DEVICE = Device(CERTID, State.ARRIVED, "2026-11-22T12:00:00.000Z", devicename=NAME, target=HERE, generation=1)
VALID = Facts(CERTID, "ACTIVE", (NAME,), ("device-lobby-default",), CERTID)
DECISION = Path(__file__).parents[3] / "docs" / "decisions" / "0012-sweeper-and-reconciler.md"

PROFILES = Profiles.of(
    [
        Profile(
            "default",
            thing_type=ThingType("sensor"),
            attributes=(("site", "berlin"),),
            thing_groups=("sensors",),
            billing_group="north",
        ),
        Profile("camera", attributes=(("lens", "wide"),), thing_groups=("cameras",), billing_group="south"),
    ]
)
LOBBY = "999999999999/eu-west-1"
CLAIM = ThingClaim(1, "default", LOBBY, CERTID)
THEIRS = str(ThingClaim(1, "default", "888888888888/eu-west-1", CERTID))
"""The claim of another lobby, to which the device was transferred."""
THING = ThingFacts("sensor", {"site": "berlin"}, ("sensors", "the-owners"), "north")


def with_thing(**changes: Any) -> Facts:
    return replace(VALID, thing=replace(THING, **changes))


CASES: dict[str, tuple[Facts, list[DifferenceCode]]] = {
    "no difference": (VALID, []),
    "policies of the owner are ignored": (replace(VALID, policies=("theirs", "device-lobby-default")), []),
    "no certificate": (Facts(CERTID, None, (), (), CERTID), [DifferenceCode.CERTIFICATE_MISSING]),
    "neither certificate nor thing": (
        Facts(CERTID, None, (), (), None),
        [DifferenceCode.THING_MISSING, DifferenceCode.CERTIFICATE_MISSING],
    ),
    "inactive": (replace(VALID, status="INACTIVE"), [DifferenceCode.CERTIFICATE_INACTIVE]),
    "revoked by its owner": (replace(VALID, status="REVOKED", policies=()), [DifferenceCode.CERTIFICATE_REVOKED]),
    "pending": (replace(VALID, status="PENDING_TRANSFER"), [DifferenceCode.CERTIFICATE_INACTIVE]),
    "no thing": (replace(VALID, things=(), holder=None), [DifferenceCode.THING_MISSING]),
    "bound to no thing": (replace(VALID, things=()), [DifferenceCode.THING_UNBOUND]),
    "bound to another": (replace(VALID, things=("a", "b")), [DifferenceCode.THING_ELSEWHERE]),
    "bound to another as well": (replace(VALID, things=(NAME, "b")), [DifferenceCode.THING_ELSEWHERE]),
    "its thing belongs to another certificate": (
        replace(VALID, things=(), holder=OTHER),
        [DifferenceCode.THING_OF_ANOTHER],
    ),
    "its thing has no attribute": (replace(VALID, holder=""), [DifferenceCode.THING_OF_ANOTHER]),
    "no policy": (replace(VALID, policies=("theirs",)), [DifferenceCode.POLICY_MISSING]),
    "policy of another profile": (
        replace(VALID, policies=("device-lobby-camera",)),
        [DifferenceCode.POLICY_MISSING, DifferenceCode.POLICY_OF_ANOTHER_PROFILE],
    ),
    "policy of another profile as well": (
        replace(VALID, policies=("device-lobby-camera", "device-lobby-default")),
        [DifferenceCode.POLICY_OF_ANOTHER_PROFILE],
    ),
    "as its profile requires": (with_thing(), []),
    "no thing type": (with_thing(thing_type=None), [DifferenceCode.THING_TYPE]),
    "another thing type": (with_thing(thing_type="theirs"), [DifferenceCode.THING_TYPE]),
    "attribute missing": (with_thing(attributes={}), [DifferenceCode.THING_ATTRIBUTES]),
    "attribute changed": (with_thing(attributes={"site": "bonn"}), [DifferenceCode.THING_ATTRIBUTES]),
    "attribute of another profile": (
        with_thing(attributes={"site": "berlin", "lens": "wide"}),
        [DifferenceCode.THING_ATTRIBUTES],
    ),
    "not in its group": (with_thing(groups=("the-owners",)), [DifferenceCode.THING_GROUPS]),
    "in another profile's group": (with_thing(groups=("sensors", "cameras")), [DifferenceCode.THING_GROUPS]),
    "in no billing group": (with_thing(billing_group=None), [DifferenceCode.BILLING_GROUP]),
    "in another profile's billing group": (with_thing(billing_group="south"), [DifferenceCode.BILLING_GROUP]),
    "in the owner's billing group": (with_thing(billing_group="theirs"), [DifferenceCode.BILLING_GROUP_OF_OWNER]),
    "several at once": (
        Facts(CERTID, "INACTIVE", (), (), None),
        [DifferenceCode.THING_MISSING, DifferenceCode.CERTIFICATE_INACTIVE, DifferenceCode.POLICY_MISSING],
    ),
}


AWAITED, ARRIVED, LEFT = (str(CLAIM.with_progress(each)) for each in Progress)
WRONG_CLAIMS = {
    "of an earlier claim": str(replace(CLAIM, generation=0)),
    "of another profile": str(replace(CLAIM, profile="camera")),
    "of another lobby": str(replace(CLAIM, lobby=f"{LOBBY}/staging")),
    "of another certificate": str(replace(CLAIM, certid=OTHER)),
    "left": LEFT,
    "the owner's text": "theirs",
    "empty": "",
}


@pytest.mark.parametrize("claim", WRONG_CLAIMS.values(), ids=list(WRONG_CLAIMS))
@pytest.mark.parametrize("state", [State.COMMISSIONED, State.ARRIVED])
def test_a_thing_with_another_claim_is_reported_and_can_be_retried(state: State, claim: str) -> None:
    facts = replace(VALID, thing=THING, claim=claim)
    [difference] = compare(replace(DEVICE, devstate=state), facts, PROFILES, LOBBY)
    assert (difference.code, difference.repair) == (DifferenceCode.THING_CLAIM, Repair.RETRY)
    assert difference.message.endswith(f", want {AWAITED}")


@pytest.mark.parametrize(
    ("state", "claim", "differs"),
    [
        (State.COMMISSIONED, AWAITED, False),
        (State.COMMISSIONED, ARRIVED, True),
        (State.COMMISSIONED, None, True),
        (State.ARRIVED, AWAITED, False),
        (State.ARRIVED, ARRIVED, False),
        (State.ARRIVED, None, False),
    ],
)
def test_a_commissioned_device_needs_a_claim_that_is_awaited(state: State, claim: str | None, differs: bool) -> None:
    """The target's rules report only awaited connections. Things of version 0.2.0 have no claim."""
    facts = replace(VALID, thing=THING, claim=claim)
    assert bool(compare(replace(DEVICE, devstate=state), facts, PROFILES, LOBBY)) is differs


@pytest.mark.parametrize("case", CASES)
def test_each_mismatch_is_reported_by_its_code(case: str) -> None:
    facts, codes = CASES[case]
    found = compare(DEVICE, facts, PROFILES, LOBBY)
    assert [each.code for each in found] == codes
    assert all(str(HERE) in each.message and ", want " in each.message for each in found)


def test_changes_of_the_owner_and_of_others_are_not_repaired() -> None:
    assert {code for code, repair in REPAIRS.items() if repair is None} == {
        DifferenceCode.CERTIFICATE_REVOKED,
        DifferenceCode.THING_OF_ANOTHER,
        DifferenceCode.THING_ELSEWHERE,
        DifferenceCode.BILLING_GROUP_OF_OWNER,
        DifferenceCode.ORPHANED_NOT_OURS,
    }
    assert {code for code, repair in REPAIRS.items() if repair is Repair.DEACTIVATE} == {DifferenceCode.ORPHANED}


def test_the_permitted_repairs_are_those_of_the_decision_record() -> None:
    lines = [line.split("|") for line in DECISION.read_text().splitlines() if re.match("[|] `[A-Z_]+` ", line)]
    table = {cells[1].strip().strip("`"): cells[3].strip().strip("`") for cells in lines}
    assert table == {code.value: repair.value if repair else "–" for code, repair in REPAIRS.items()}


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
def test_a_thing_that_no_claim_covers_is_a_stray(device: Device | None, stray: bool) -> None:
    assert is_stray(device, HERE) is stray


def entry(after: State, target: object = HERE) -> Entry:
    return Entry(CERTID, 1, "2026-11-22T12:00:00.000Z", "user:ann", Event.CLAIM, None, after, 1, None, str(target), "")


@pytest.mark.parametrize(
    ("facts", "history", "code"),
    [
        (VALID, [entry(State.CLAIMED)], DifferenceCode.ORPHANED),
        (VALID, [entry(State.CLAIMED, THERE), entry(State.COMMISSIONED)], DifferenceCode.ORPHANED),
        (VALID, [entry(State.FAILED)], DifferenceCode.ORPHANED),
        (VALID, [], DifferenceCode.ORPHANED_NOT_OURS),
        (VALID, [entry(State.EXPECTED)], DifferenceCode.ORPHANED_NOT_OURS),
        (VALID, [entry(State.COMMISSIONED, THERE)], DifferenceCode.ORPHANED_NOT_OURS),
        (replace(VALID, status="INACTIVE"), [entry(State.COMMISSIONED)], None),
        (replace(VALID, status="REVOKED"), [entry(State.COMMISSIONED)], None),
        (replace(VALID, status=None, things=()), [entry(State.COMMISSIONED)], None),
        (replace(VALID, things=()), [entry(State.COMMISSIONED)], None),
        (replace(VALID, things=("another",)), [entry(State.COMMISSIONED)], None),
        (replace(VALID, claim=THEIRS), [entry(State.COMMISSIONED)], None),
        (replace(VALID, claim=THEIRS.replace("awaited", "left")), [entry(State.CLAIMED)], DifferenceCode.ORPHANED),
    ],
)
def test_a_stray_is_an_orphan_if_it_can_connect_and_ours_if_the_history_shows_it(
    facts: Facts, history: list[Entry], code: DifferenceCode | None
) -> None:
    found = orphan(facts, NAME, history, HERE, LOBBY)
    assert (found.code if found else None) == code
