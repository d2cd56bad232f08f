"""Certificates of devices: written once with the admission, read with the row, and in the row of earlier versions."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import GetError

from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls
from tests.bench.capacity import item_bytes
from tests.functional.lobby.ledger.ledger_devices import ANN, ONE, A

PEM = make.pem_of(make.device(make.authority("Acme Devices Intermediate CA 1"), "sensor-1"))
US = "service:bouncer"
UNIT = 1024
"""Bytes of a write unit."""


def admit(ledger: Ledger) -> None:
    ledger.admit(Identity(ONE, ThingName("sensor-1"), PEM), US)


def earlier_row(ledger: Ledger) -> None:
    """Turn the row into one of 0.2.0."""
    admit(ledger)
    LedgerRow(ONE).update(actions=[LedgerRow.certified.remove(), LedgerRow.devicecert.set(PEM)])
    aws.empty("device-lobby-certificates")


def test_a_certificate_is_written_with_the_admission_and_not_again(ledger: Ledger, calls: Calls) -> None:
    admit(ledger)
    [written] = calls.of("TransactWriteItems")
    tables = [next(iter(each.values()))["TableName"] for each in written.params["TransactItems"]]
    assert "device-lobby-certificates" in tables
    calls.forget()
    ledger.claim(ONE, ClaimRequest(A), ANN)
    assert "certificates" not in str([call.params for call in calls.made])


def test_row_and_certificate_are_read_with_one_call(ledger: Ledger, calls: Calls) -> None:
    admit(ledger)
    calls.forget()
    device = ledger.get_with_certificate(ONE)
    assert device is not None
    assert (device.devicecert, device.devstate) == (PEM, State.KNOCKING)
    [read] = calls.made
    assert read.operation == "BatchGetItem"
    assert all(table["ConsistentRead"] for table in read.params["RequestItems"].values())


def test_a_device_that_was_never_admitted_has_no_certificate(ledger: Ledger) -> None:
    expected = ledger.claim(ONE, ClaimRequest(A), ANN)
    assert (ledger.get_with_certificate(ONE), ledger.certificate(expected)) == (expected, None)
    ledger.release(ONE, ANN)
    assert ledger.get_with_certificate(ONE) is None


def test_the_row_of_an_earlier_version_keeps_its_certificate(ledger: Ledger) -> None:
    earlier_row(ledger)
    device = ledger.get_with_certificate(ONE)
    assert device is not None
    assert (device.devicecert, device.certified, ledger.certificate(device)) == (PEM, False, PEM)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    assert (claimed.devstate, ledger.certificate(claimed)) == (State.CLAIMED, PEM)
    assert (aws.item(ONE) or {})["devicecert"] == {"S": PEM}
    admit(ledger)
    assert aws.items("device-lobby-certificates") == []


def test_a_device_of_an_earlier_version_that_is_admitted_again_gets_the_row_of_this_one(ledger: Ledger) -> None:
    earlier_row(ledger)
    ledger.claim(ONE, ClaimRequest(A), ANN)
    LedgerRow(ONE).update(actions=[LedgerRow.devstate.set("refused"), LedgerRow.reason.set("EXPIRED")])
    admit(ledger)
    row = aws.item(ONE) or {}
    assert ("devicecert" in row, row["certified"]) == (False, {"BOOL": True})
    device = ledger.get_with_certificate(ONE)
    assert device is not None
    assert device.devicecert == PEM


def test_without_capacity_the_read_fails_and_is_not_taken_for_a_missing_row(ledger: Ledger, calls: Calls) -> None:
    admit(ledger)
    calls.instead["BatchGetItem"] = lambda params, _call: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]}
    with pytest.raises(GetError, match="got no capacity for device-lobby-ledger"):
        ledger.get_with_certificate(ONE)
    calls.instead.clear()
    error: Any = {"Error": {"Code": "InternalServerError", "Message": ""}}
    calls.fails["BatchGetItem"] = ClientError(error, "BatchGetItem")
    with pytest.raises(GetError, match="InternalServerError"):
        ledger.get_with_certificate(ONE)


def test_every_item_of_an_onboarding_is_one_write_unit(ledger: Ledger) -> None:
    """With names as long as in practice. Each further kB would cost two units with each transition."""
    name = ThingName("acme-thermostat-pro-eu-2026-" + "0" * 12)
    ledger.admit(Identity(ONE, name, PEM), US)
    device = ledger.claim(
        ONE, ClaimRequest(A, config={"wifi": "lobby", "interval": 60}), "user:ann.operator@example.com"
    )
    assert device.needs_commissioner
    device = ledger.commission(device, f"a1b2c3d4e5f6g7-ats.iot.{A.region}.amazonaws.com", "service:commissioner")
    ledger.arrive(device, "service:arrivals")
    for table in ("ledger", "history", "names", "certificates", "counts"):
        sizes = [item_bytes(item) for item in aws.items(f"device-lobby-{table}")]
        assert sizes, table
        assert max(sizes) <= UNIT, table
