"""The job that needs the grants of renewals: a device is asked for a new key, gets a certificate, arrives with it, and
the previous certificate is retired. The answer to its first request is lost, so it asks again with another key.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from tests import certificates as make
from tests.bench.iam.device_jobs import claim, named
from tests.bench.iam.fixture import HELLO, JobDevice, JobFixture
from tests.e2e.bare_mqtt import BareMqtt
from tests.e2e.claiming_device import new_key, request_of, stored
from tests.e2e.renewing_device import ALLOWED, RENEW, REQUEST

_CAN_RENEW: Final = b'{"renew": true}'


def renew_certificate(fixture: JobFixture) -> None:
    device = _arrived(fixture)
    fixture.request("renew", RENEW, id=device.certid)
    connection = fixture.connect_admitted(device)
    connection.publish(HELLO, _CAN_RENEW)
    fixture.expect_message(connection, "is asked to renew", b'"renew"')
    lost = make.fingerprint_of(_request(fixture, connection, device, new_key()))
    key = new_key()
    pem = _request(fixture, connection, device, key)
    connection.close()
    fixture.wait_for_status(replace(device, certid=lost), fixture.deployed.lobby, "INACTIVE")
    renewed = _with(device, key, pem, fixture.directory)
    fixture.wait_for_status(renewed, fixture.first, "ACTIVE")
    fixture.connect_to(renewed, fixture.first).close()
    for scope in (fixture.deployed.lobby, fixture.first):
        fixture.wait_for_status(device, scope, "INACTIVE")
    connection = fixture.connect_admitted(renewed)  # every Lambda finds the device by its new certificate
    connection.publish(HELLO, b"{}")
    fixture.expect_message(connection, "is known by its new certificate", b'"iotep"')
    connection.close()


def _arrived(fixture: JobFixture) -> JobDevice:
    """Return a device that has arrived and has said that it can renew."""
    device = fixture.new_device()
    connection = fixture.connect_admitted(device)
    connection.publish(HELLO, _CAN_RENEW)
    fixture.wait_for_state(device, "inlobby")
    connection.close()
    claim(fixture, device)
    fixture.wait_for_state(device, "commissioned")
    fixture.connect_to(device, fixture.first).close()
    fixture.wait_for_state(device, "arrived")
    allowed: Any = lambda: fixture.request("reads", ALLOWED, id=device.certid)["device"]["allowedActions"]  # noqa: E731
    fixture.wait_for("can renew", lambda: "renewDevice" in allowed())
    return device


def _request(fixture: JobFixture, connection: BareMqtt, device: JobDevice, key: EllipticCurvePrivateKey) -> str:
    """Request a certificate for the key. Return it in PEM."""
    connection.publish(REQUEST, json.dumps({"csr": request_of(key, device.name)}).encode())
    message = fixture.expect_message(connection, "gets a certificate", b'"certificate"')
    return str(json.loads(message[message.index(b"{") :])["certificate"])


def _with(device: JobDevice, key: EllipticCurvePrivateKey, pem: str, directory: Path) -> JobDevice:
    files = stored(directory, f"{device.name}-renewed", key, pem)
    return replace(device, certid=make.fingerprint_of(pem), certificate=files.certificate, key=files.key)


RENEWAL_JOBS: Final = named(renew_certificate)
