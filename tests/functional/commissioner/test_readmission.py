"""A device that was refused because of its CA's revocation list is readmitted once for each newer list."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from commissioner.sweeping import readmission as module
from commissioner.sweeping.readmission import Readmission
from lobby.aws.region_clients import RegionClients
from lobby.domain.states import State
from lobby.ledger.clock import timestamp
from lobby.ledger.store import Ledger
from lobby.lobby_names import in_region
from lobby.names import Fingerprint, Region, parse_region
from tests import aws
from tests import certificates as make
from tests.aws import BUCKET, REGION, Calls, Clock
from tests.functional.lobby.registration_door import CA, GOOD, RegistrationDoor

HOME = parse_region("eu-central-1")
NEVER = datetime(1970, 1, 1, tzinfo=make.NOW.tzinfo)


class Refusals:
    """A lobby that refuses devices, and the sweeper's walks. All lists have the publication time `published`."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.calls, self.clock, self.door = calls, clock, RegistrationDoor(calls, clock)
        self.ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
        self.published = NEVER
        self.note: dict[str, Any] = {}
        self.readmission = Readmission(self.ledger, self.door.iot, self.door.s3, BUCKET, REGION)
        calls.instead["ListObjectsV2"] = self.dated

    def dated(self, _params: object, call: Any) -> Any:
        answer = call()
        for each in answer["Contents"]:
            each["LastModified"] = self.published
        return answer

    def refused(self, pem: str = GOOD) -> Fingerprint:
        """Refuse a device because of a stale list."""
        self.door.publish(self.door.ca_id, make.crl(CA, last=make.NOW - 9 * make.DAY, until=make.NOW - make.DAY))
        self.door.bouncer = self.door.new_bouncer()
        assert self.door.deliver(self.door.first_connection(pem)) == "CRL_STALE"
        return Fingerprint(make.fingerprint_of(pem))

    def publish(self) -> None:
        self.door.publish(self.door.ca_id, make.crl(CA))
        self.published = self.clock()

    def walk(self, up: bool = False) -> int:
        return self.readmission.walk(self.note, self.clock(), lambda: up)

    def needs_commissioner(self, certid: Fingerprint) -> bool:
        device = self.ledger.get(certid)
        assert device is not None
        assert device.devstate is State.REFUSED
        return device.needs_commissioner


@pytest.fixture
def refusals(calls: Calls, clock: Clock) -> Refusals:
    return Refusals(calls, clock)


def test_a_new_list_readmits_a_refused_device_once(refusals: Refusals) -> None:
    certid = refusals.refused()
    refusals.clock.advance(hours=1)
    assert refusals.walk() == 0
    refusals.publish()
    assert refusals.walk() == 0
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 1
    assert refusals.needs_commissioner(certid)
    last = refusals.ledger.history(certid)[-1]
    assert (last.event, last.actor) == ("retry", "service:sweeper")
    refusals.clock.advance(minutes=5)
    assert refusals.walk() == 0


def test_each_list_is_tried_once(refusals: Refusals) -> None:
    certid = refusals.refused()
    for _ in range(2):
        refusals.clock.advance(hours=1)
        refusals.published = refusals.clock()
        refusals.clock.advance(minutes=2)
        refusals.note.pop("lists", None)  # as if the walk started again
        assert refusals.walk() == 1
        device = refusals.ledger.get(certid)
        assert device is not None
        refusals.ledger.retire(device, None, "service:commissioner")
        refusals.note.pop("lists")
        assert refusals.walk() == 0


def test_a_device_that_a_user_has_retried_since_is_not_readmitted(refusals: Refusals) -> None:
    certid = refusals.refused()
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    refusals.ledger.retry(certid, "user:ann")
    assert refusals.walk() == 0


def test_other_refusals_and_lists_of_other_cas_change_nothing(refusals: Refusals) -> None:
    certid = refusals.refused()
    other = make.device(CA, "sensor-9", serial=9009, number=2)
    refusals.ledger.refuse(Fingerprint(make.fingerprint_of(make.pem_of(other))), None, "EXPIRED", "", "service:bouncer")
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    refusals.calls.instead["ListObjectsV2"] = lambda _params, _call: {
        "Contents": [{"Key": f"crl/{'0' * 64}.pem", "LastModified": refusals.published}]
    }
    assert refusals.walk() == 0
    assert not refusals.needs_commissioner(certid)


def test_a_certificate_deleted_from_aws_iot_needs_no_readmission(refusals: Refusals) -> None:
    certid = refusals.refused()
    aws.client("iot").delete_certificate(certificateId=certid, forceDelete=True)
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 0


def test_a_walk_is_done_in_parts_and_ends(refusals: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEVICES_PER_RUN", 1)
    pems = [make.pem_of(make.device(CA, f"sensor-{n}", serial=2000 + n, number=n)) for n in range(3)]
    for pem in pems:
        refusals.refused(pem)
        refusals.clock.advance(seconds=1)
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    assert refusals.walk(up=True) == 0
    assert [refusals.walk() for _ in range(5)] == [1, 1, 1, 0, 0]
    assert refusals.note.keys() >= {"lists"}
    refusals.calls.forget()
    assert refusals.walk() == 0
    assert refusals.calls.names() == ["ListObjectsV2"]


def test_a_device_that_changed_before_the_retry_is_left_unchanged(refusals: Refusals) -> None:
    certid = refusals.refused()
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    refusals.calls.meanwhile["TransactWriteItems"] = lambda: refusals.ledger.revoke(certid, "lost", "user:ann")
    assert refusals.walk() == 0
    device = refusals.ledger.get(certid)
    assert device is not None
    assert device.devstate is State.REVOKED


class HomeElsewhere:
    """The same refusals, seen by a home in another Region. `lists` are published there, in the home's own bucket."""

    def __init__(self, refusals: Refusals) -> None:
        self.refusals, self.down = refusals, False
        self.lists: datetime | None = None
        self.bucket = in_region(BUCKET, HOME)
        self.promote(HOME, self.bucket, REGION)
        refusals.calls.instead["ListObjectsV2"] = self._listed

    def promote(self, home: Region, bucket: str, door: Region) -> None:
        """Let the sweeper of this Region make the next walks, with the replicated note."""
        iot, s3 = self.refusals.door.iot, self.refusals.door.s3
        regions = RegionClients([door], lambda _region: SimpleNamespace(iot=iot, s3=s3))
        self.refusals.readmission = Readmission(self.refusals.ledger, iot, s3, bucket, home, regions)

    def _listed(self, params: dict[str, Any], call: Any) -> Any:
        if params["Bucket"] == self.bucket:
            key = f"crl/{self.refusals.door.ca_id}.pem"
            return {"Contents": [{"Key": key, "LastModified": self.lists}] if self.lists else []}
        if self.down:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "ListObjectsV2")
        return self.refusals.dated(params, call)


@pytest.fixture
def home(refusals: Refusals) -> HomeElsewhere:
    return HomeElsewhere(refusals)


def test_a_list_readmits_the_devices_that_were_refused_in_its_region(refusals: Refusals, home: HomeElsewhere) -> None:
    certid = refusals.refused()
    refusals.clock.advance(hours=1)
    home.lists = refusals.clock()
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 0, "the door's own list is still stale"
    refusals.publish()
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 1
    assert refusals.needs_commissioner(certid)
    assert refusals.walk() == 0


def test_the_lists_of_a_region_that_does_not_answer_are_compared_later(refusals: Refusals, home: HomeElsewhere) -> None:
    refusals.refused()
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    home.down, home.lists = True, refusals.clock()
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 0
    home.down = False
    assert refusals.walk() == 1


def test_a_new_home_compares_its_own_lists(refusals: Refusals, home: HomeElsewhere) -> None:
    """The old home has walked for a later list of its own, before the new home's list was compared."""
    refusals.refused()
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.clock.advance(minutes=2)
    home.down, home.lists = True, refusals.clock()
    refusals.clock.advance(minutes=2)
    assert refusals.walk() == 0
    home.promote(REGION, BUCKET, HOME)
    home.down = False
    assert refusals.walk() == 1
    refusals.calls.forget()
    home.promote(HOME, home.bucket, REGION)
    assert refusals.walk() == 0
    assert refusals.calls.names() == ["ListObjectsV2"] * 2, "each Region's walk is done"


def test_the_walk_of_an_earlier_versions_note_is_not_repeated(refusals: Refusals) -> None:
    refusals.refused()
    refusals.clock.advance(hours=1)
    refusals.publish()
    refusals.note = {"lists": timestamp(refusals.published), "walk": None}
    refusals.clock.advance(minutes=2)
    refusals.calls.forget()
    assert refusals.walk() == 0
    assert refusals.calls.names() == ["ListObjectsV2"]
