"""The records of lists: which devices are suspects, for any order of the records."""

import hashlib
from dataclasses import replace

import pytest

from commissioner.reconciliation.records import (
    PARTITIONS,
    Partition,
    active_record,
    holder_record,
    partition_of,
    placed_record,
    thing_record,
)
from lobby.contracts.inspector import Thing
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.profile import Profile, Profiles, ThingType
from lobby.domain.targets.thing_claim import Progress, ThingClaim
from lobby.names import Fingerprint, ThingName

CERTID, OTHER = Fingerprint("ab" * 32), Fingerprint("cd" * 32)
NAME = ThingName("sensor-1")
DEVICE = Device(CERTID, State.ARRIVED, "2026-11-22T12:00:00.000Z", devicename=NAME, generation=1)
PROFILES = Profiles.of(
    [
        Profile("default", thing_type=ThingType("sensor"), attributes=(("site", "berlin"),)),
        Profile("camera", attributes=(("lens", "wide"),)),
    ]
)
LOBBY = "999999999999/eu-west-1"
CLAIM = ThingClaim(1, "default", LOBBY, CERTID)
THING = Thing(NAME, CERTID, "sensor", {"site": "berlin"}, str(CLAIM))
PLACED = placed_record(DEVICE, PROFILES)
FOUND = [active_record(CERTID), holder_record(CERTID, "default"), thing_record(THING, PROFILES, LOBBY)]


def partition(*records: str | None) -> Partition:
    found = Partition()
    found.add(record for record in records if record)
    return found


def test_a_device_that_the_lists_show_as_expected_is_no_suspect() -> None:
    found = partition(PLACED, *FOUND)
    assert (found.suspects(), found.unclaimed()) == ([], [])


DIFFERENT: dict[str, list[str | None]] = {
    "no certificate that is active": FOUND[1:],
    "no policy": [FOUND[0], FOUND[2]],
    "no thing": FOUND[:2],
    "nothing": [],
    "another profile's policy": [*FOUND, holder_record(CERTID, "camera")],
    "no type": [*FOUND[:2], thing_record(replace(THING, thing_type=None), PROFILES, LOBBY)],
    "the owner's type": [*FOUND[:2], thing_record(replace(THING, thing_type="theirs"), PROFILES, LOBBY)],
    "another value": [*FOUND[:2], thing_record(replace(THING, attributes={"site": "rome"}), PROFILES, LOBBY)],
    "another profile's attribute": [
        *FOUND[:2],
        thing_record(replace(THING, attributes={"site": "berlin", "lens": "wide"}), PROFILES, LOBBY),
    ],
    **{
        claim: [*FOUND[:2], thing_record(replace(THING, claim=claim), PROFILES, LOBBY)]
        for claim in (
            "theirs",
            str(replace(CLAIM, generation=2)),
            str(replace(CLAIM, profile="camera")),
            str(replace(CLAIM, lobby="999999999999/eu-west-1/staging")),
            str(CLAIM.with_progress(Progress.LEFT)),
        )
    },
    "another name": [*FOUND[:2], thing_record(replace(THING, name="sensor-2"), PROFILES, LOBBY)],
    "two things": [*FOUND, thing_record(replace(THING, name="sensor-2"), PROFILES, LOBBY)],
    "of another certificate": [*FOUND[:2], thing_record(replace(THING, certid=OTHER), PROFILES, LOBBY)],
}


@pytest.mark.parametrize("records", DIFFERENT.values(), ids=list(DIFFERENT))
def test_a_device_that_the_lists_show_otherwise_is_a_suspect(records: list[str | None]) -> None:
    assert partition(PLACED, *records).suspects() == [CERTID]


def test_a_renewed_device_is_examined_when_it_is_due_and_no_suspect() -> None:
    renewed = [thing_record(replace(THING, claim=str(replace(CLAIM, certid=OTHER))), PROFILES, LOBBY)]
    found = partition(PLACED, *renewed)
    assert (found.suspects(), found.due(5, 1), found.absent()) == ([], [CERTID], 0)
    outdated = replace(CLAIM, certid=OTHER, generation=2)
    for changed in (replace(THING, claim=str(outdated)), replace(THING, name="sensor-2", claim=renewed[0])):
        assert partition(PLACED, thing_record(changed, PROFILES, LOBBY)).suspects() == [CERTID]


@pytest.mark.parametrize("claim", [str(CLAIM.with_progress(Progress.ARRIVED)), None])
def test_a_claim_that_suits_an_arrived_device_only_is_suspect_of_a_commissioned_one(claim: str | None) -> None:
    """Things of version 0.2.0 have no claim."""
    found = [*FOUND[:2], thing_record(replace(THING, claim=claim), PROFILES, LOBBY)]
    assert partition(PLACED, *found).suspects() == []
    commissioned = placed_record(replace(DEVICE, devstate=State.COMMISSIONED), PROFILES)
    assert partition(commissioned, *found).suspects() == [CERTID]
    assert partition(commissioned, *FOUND).suspects() == []


def test_devices_of_which_the_lists_show_nothing_are_counted() -> None:
    others = [replace(DEVICE, certid=Fingerprint(f"{number:064x}")) for number in range(3)]
    assert partition(PLACED, *(placed_record(each, PROFILES) for each in others), FOUND[2]).absent() == 3


def test_a_device_whose_profile_is_gone_is_always_a_suspect() -> None:
    gone = placed_record(replace(DEVICE, profile="removed"), PROFILES)
    assert partition(gone, *FOUND).suspects() == [CERTID]


def test_the_owners_type_is_no_difference_for_a_profile_without_a_type() -> None:
    camera = placed_record(replace(DEVICE, profile="camera"), PROFILES)
    thing = thing_record(
        Thing(NAME, CERTID, "theirs", {"lens": "wide"}, str(replace(CLAIM, profile="camera"))), PROFILES, LOBBY
    )
    assert partition(camera, FOUND[0], holder_record(CERTID, "camera"), thing).suspects() == []


def test_an_active_certificate_that_is_not_placed_is_unclaimed() -> None:
    assert partition(*FOUND).unclaimed() == [(CERTID, NAME)]
    assert partition(*FOUND[1:]).unclaimed() == []
    assert partition(*FOUND[:2]).unclaimed() == []


def test_things_of_certificates_that_are_neither_placed_nor_active_are_dropped() -> None:
    copies = [thing_record(replace(THING, name=f"copy-{number}"), PROFILES, LOBBY) for number in range(100)]
    assert len(partition(*copies).things) == 0
    assert len(partition(PLACED, *copies).things[CERTID]) == 3
    assert len(partition(FOUND[0], *copies).unclaimed()) == 3


@pytest.mark.parametrize("certid", ["theirs", "", "AB" * 32, "ab" * 31, " " + "ab" * 32])
def test_a_thing_without_a_fingerprint_has_no_record(certid: str) -> None:
    assert thing_record(replace(THING, certid=certid), PROFILES, LOBBY) is None


@pytest.mark.parametrize("name", ["", "a\tb", "x" * 129])
def test_a_thing_with_a_name_that_no_device_has_has_no_record(name: str) -> None:
    assert thing_record(replace(THING, name=name), PROFILES, LOBBY) is None


def test_every_device_is_due_on_one_of_the_days() -> None:
    certids = [Fingerprint(hashlib.sha256(bytes([number])).hexdigest()) for number in range(200)]
    devices = [replace(DEVICE, certid=certid) for certid in certids]
    found = partition(*(placed_record(each, PROFILES) for each in devices))
    due = [certid for day in range(100, 110) for certid in found.due(day, 10)]
    assert sorted(due) == sorted(each.certid for each in devices)
    assert found.due(5, 1) == sorted(due)


def test_records_of_a_certificate_are_in_one_partition() -> None:
    assert {partition_of(str(record)) for record in (PLACED, *FOUND)} == {0xAB}
    assert PARTITIONS == 0xFF + 1
