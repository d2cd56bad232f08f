"""The operations of the jobs: devices over a minimal MQTT client, requests to the API, conditions with a timeout. Each
device has its own manufacturer, so that the bouncer must look up the CA and its revocation list. A job fails with
`JobFailed` if a condition is not met in time or the API refuses a request.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.local.api import ApiRefused
from infra.local.manufacturer import new_name
from lobby.deployment import NAMES
from lobby.names import Target, parse_target
from lobby.wire import crl_key
from tests import certificates as make
from tests.e2e.bare_mqtt import HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.connections import ACCEPTED, open_tls
from tests.e2e.deployment import Deployment
from tests.hostile import Maker

T = TypeVar("T")
_POLL: Final = 0.1
_RECONNECT_SECONDS: Final = 0.7
HELLO: Final = "$aws/rules/lobby"


class JobFailed(Exception):
    """A step of a job failed. The message describes the step."""


@dataclass(frozen=True)
class JobDevice:
    """A device with its credentials, its manufacturer and the id of its CA."""

    name: str
    certid: str
    certificate: Path
    key: Path
    maker: Maker
    ca_id: str


class JobFixture:
    """`timeout` is the seconds for one condition. Fixtures of the same deployment need distinct ranges of numbers for
    their manufacturers, from `first_number` on."""

    def __init__(self, deployed: Deployment, directory: Path, timeout: float, first_number: int = 300) -> None:
        self.deployed, self.directory, self._timeout = deployed, directory, timeout
        self._iot = deployed.client(deployed.lobby, "iot")
        self._s3 = deployed.client(deployed.lobby, "s3")
        self._numbers = itertools.count(first_number)

    @property
    def first(self) -> Target:
        return self.deployed.targets[0]

    @property
    def second(self) -> Target:
        return self.deployed.targets[1]

    def unused_target(self) -> Target:
        """Return an account and Region that no job has used."""
        return parse_target(f"5{next(self._numbers):011}", "eu-west-3")

    def wait_for(self, what: str, check: Callable[[], T | None], more: float = 0) -> T:
        """Call `check` until its result is true, at most for the timeout and `more` seconds. Return the result. Raise
        `JobFailed` with `what`."""
        deadline = time.monotonic() + self._timeout + more
        while True:
            try:
                result = check()
            except ApiRefused as refusal:
                raise JobFailed(f"{what}: {refusal.code}") from None
            except httpx.TimeoutException:  # a busy machine
                result = None
            if result:
                return result
            if time.monotonic() > deadline:
                raise JobFailed(what)
            time.sleep(_POLL)

    def request(self, what: str, document: str, role: str = "operator", **variables: Any) -> Any:
        try:
            return self.deployed.api(role).ask(document, **variables)
        except ApiRefused as refusal:
            raise JobFailed(f"{what}: {refusal.code}") from None
        except httpx.TimeoutException:
            raise JobFailed(f"{what}: no answer in time") from None

    def new_device(self, name: str | None = None, *, crl: bool = True) -> JobDevice:
        """Register a new manufacturer, publish its revocation list if `crl`, and return a device of it."""
        number = next(self._numbers)
        maker = Maker(datetime.now(UTC), number, name or new_name())
        ca_id = str(
            self._iot.register_ca_certificate(
                caCertificate=maker.ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
            )["certificateId"]
        )
        pem = maker.pem(number=number)
        certificate, key = self.directory / f"{number}.cert", self.directory / f"{number}.key"
        certificate.write_text(pem)
        secret = make.key("SECP256R1", number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(secret)
        device = JobDevice(maker.name, make.fingerprint_of(pem), certificate, key, maker, ca_id)
        if crl:
            self.publish_crl(device)
        return device

    def publish_crl(self, device: JobDevice) -> None:
        """Publish the revocation list of the device's manufacturer."""
        bucket = NAMES.trust_bucket(self.deployed.lobby.account, self.deployed.lobby.region)
        self._s3.put_object(Bucket=bucket, Key=crl_key(device.ca_id), Body=device.maker.crl())

    def connect(
        self,
        device: JobDevice,
        scope: Target | None = None,
        client_id: str | None = None,
        source: str | None = None,
    ) -> BareMqtt | None:
        """Connect once, to the lobby or to `scope`, by default with the device's name. Return None if refused. `source`
        is the address of the device."""
        try:
            connection = open_tls(self.deployed, device.certificate, device.key, scope, source=source)
        except HandshakeRefused:
            return None
        if connection.connect(client_id or device.name) == ACCEPTED:
            return connection
        connection.close()
        return None

    def connect_to(self, device: JobDevice, target: Target) -> BareMqtt:
        """Connect to a target, with repeated attempts."""
        return self.wait_for(f"connects to {target.region}", lambda: self.connect(device, target))

    def connect_admitted(self, device: JobDevice) -> BareMqtt:
        """Connect to the lobby until the device is admitted, and subscribe to its topic."""
        next_attempt = [0.0]

        def attempt() -> BareMqtt | None:
            if time.monotonic() < next_attempt[0]:
                return None
            next_attempt[0] = time.monotonic() + _RECONNECT_SECONDS
            return self.connect(device)

        connection = self.wait_for("admitted", attempt)
        if connection.subscribe(f"lobby/{device.name}") == HUNG_UP:
            raise JobFailed("subscribes to its topic")
        return connection

    def connect_waiting(self, device: JobDevice) -> BareMqtt:
        """Connect as above, publish a hello and wait for state inlobby."""
        connection = self.connect_admitted(device)
        connection.publish(HELLO, b"{}")
        self.wait_for_state(device, "inlobby")
        return connection

    def wait_for_state(self, device: JobDevice, *states: str, **fields: object) -> dict[str, Any]:
        """Wait until the ledger's row has one of the states and these field values. Return it."""

        def check() -> dict[str, Any] | None:
            row = self.deployed.device(device.certid)
            fits = row and row["devstate"] in states and all(row[key] == value for key, value in fields.items())
            return row if fits else None

        return self.wait_for(" or ".join(states), check)

    def wait_for_status(self, device: JobDevice, scope: Target, *statuses: str | None) -> None:
        """Wait until the device's certificate has one of the statuses in `scope`. None: it is not registered there."""
        self.wait_for(
            f"certificate {statuses[0]} in {scope.region}",
            lambda: self.deployed.status(device.certid, scope) in statuses or None,
        )

    def expect_message(self, connection: BareMqtt, what: str, content: bytes) -> bytes:
        """Read messages until one contains `content`, and return it. Raise `JobFailed` with `what` if none does within
        the timeout."""
        connection.wait_at_most(self._timeout)
        try:
            while content not in (packet := connection.read())[1]:
                if packet == HUNG_UP:
                    raise JobFailed(f"{what}: connection closed")
        except OSError:
            raise JobFailed(what) from None
        return packet[1]
