"""Faults of the registration of aws-device-lobby v0.1, each reproduced there: one test each, with the fault's name."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.x509.oid import NameOID

from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.registration_door import CA, RegistrationDoor


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    return RegistrationDoor(calls, clock)


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeCertificate",
        "DescribeCACertificate",
        "GetObject",
        "TransactWriteItems",
        "CreateThing",
        "AttachThingPrincipal",
        "AttachPolicy",
        "UpdateCertificate",
    ],
)
def test_fault_a_failed_aws_call_in_the_bouncer_is_swallowed(door: RegistrationDoor, operation: str) -> None:
    event = door.first_connection()
    door.calls.fails[operation] = ClientError({"Error": {"Code": "InternalFailureException"}}, operation)
    with pytest.raises(Exception, match=r"InternalFailure|Failed to write"):
        door.deliver(event)
    door.calls.fails.clear()
    assert door.deliver(event) == "admitted"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        (make.subject((NameOID.COMMON_NAME, "me"), (NameOID.ORGANIZATION_NAME, "Acme")), "me"),
        (make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim"), (NameOID.COMMON_NAME, "me")), "me"),
        (make.subject((NameOID.COMMON_NAME, "me"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim")), "me"),
        (make.subject((NameOID.ORGANIZATIONAL_UNIT_NAME, "CN=victim")), None),
    ],
    ids=["anything after the CN", "OU=CN=victim before it", "OU=CN=victim after it", "OU=CN=victim alone"],
)
def test_fault_the_cn_is_parsed_by_string_search(door: RegistrationDoor, name: Any, outcome: str | None) -> None:
    door.deliver(door.first_connection(make.pem_of(make.device(CA, name=name))))
    assert list(aws.registry()["things"]) == ([outcome] if outcome else [])


def test_fault_two_certificates_with_one_cn_share_a_thing(door: RegistrationDoor) -> None:
    first = make.pem_of(make.device(CA, "sensor-1"))
    second = make.pem_of(make.device(CA, "sensor-1", number=2))
    assert door.deliver(door.first_connection(first)) == "admitted"
    assert door.deliver(door.first_connection(second)) == "NAME_TAKEN"
    assert len(aws.registry()["principals"]) == 1
    assert aws.status(make.fingerprint_of(second)) == "INACTIVE"


def test_fault_a_deactivated_certificate_becomes_active_again(door: RegistrationDoor) -> None:
    event = door.first_connection()
    certid = event["certificateId"]
    with door.calls.uncounted():
        door.iot.update_certificate(certificateId=certid, newStatus="INACTIVE")
    assert door.deliver(event) == "settled"
    assert aws.status(certid) == "INACTIVE"
