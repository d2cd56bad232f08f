"""What the jobs work with: a running lobby, devices that speak MQTT by hand, and a patience that runs out.

Each device comes from a manufacturer of its own, so that the bouncer has to look the CA and its list up. A job that
is not done in time, or that the API refuses, is `NotDone`.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.local.api import ApiRefused
from infra.local.manufacturer import new_name
from lobby.names import Target, parse_target
from lobby.wire import crl_key, trust_bucket
from tests import certificates as make
from tests.e2e.bare_mqtt import HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.connections import ACCEPTED, open_tls
from tests.e2e.deployment import Deployment
from tests.hostile import Maker

T = TypeVar("T")
_POLL: Final = 0.1
_KNOCK: Final = 0.7
HELLO: Final = "$aws/rules/lobby"


class NotDone(Exception):
    """What could not be done, in a few words."""


@dataclass(frozen=True)
class Thing:
    """A device."""

    name: str
    certid: str
    certificate: Path
    key: Path
    maker: Maker
    ca_id: str


class Stand:
    """`patience` is in seconds, for one condition; `first_number` tells its manufacturers from another stand's."""

    def __init__(self, deployed: Deployment, directory: Path, patience: float, first_number: int = 300) -> None:
        self.deployed, self._directory, self._patience = deployed, directory, patience
        self._iot = deployed.client(deployed.lobby, "iot")
        self._s3 = deployed.client(deployed.lobby, "s3")
        self._numbers = itertools.count(first_number)

    @property
    def first(self) -> Target:
        return self.deployed.targets[0]

    @property
    def second(self) -> Target:
        return self.deployed.targets[1]

    def elsewhere(self) -> Target:
        """An account and Region that nobody has used yet."""
        return parse_target(f"5{next(self._numbers):011}", "eu-west-3")

    def until(self, what: str, look: Callable[[], T | None], more: float = 0) -> T:
        """What `look` gives, once it gives something true, within the patience and `more` seconds. Raises `NotDone`."""
        deadline = time.monotonic() + self._patience + more
        while True:
            try:
                found = look()
            except ApiRefused as refusal:
                raise NotDone(f"{what}: {refusal.code}") from None
            if found:
                return found
            if time.monotonic() > deadline:
                raise NotDone(what)
            time.sleep(_POLL)

    def ask(self, what: str, question: str, role: str = "operator", **variables: Any) -> Any:
        try:
            return self.deployed.api(role).ask(question, **variables)
        except ApiRefused as refusal:
            raise NotDone(f"{what}: {refusal.code}") from None

    def made(self, name: str | None = None, *, crl: bool = True) -> Thing:
        """A device of a new manufacturer, whose list is published unless not."""
        number = next(self._numbers)
        maker = Maker(datetime.now(UTC), number, name or new_name())
        ca_id = str(
            self._iot.register_ca_certificate(
                caCertificate=maker.ca.pem, certificateMode="SNI_ONLY", setAsActive=True, allowAutoRegistration=True
            )["certificateId"]
        )
        pem = maker.pem(number=number)
        certificate, key = self._directory / f"{number}.cert", self._directory / f"{number}.key"
        certificate.write_text(pem)
        secret = make.key("SECP256R1", number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(secret)
        made = Thing(maker.name, make.fingerprint_of(pem), certificate, key, maker, ca_id)
        if crl:
            self.publish_list_of(made)
        return made

    def publish_list_of(self, thing: Thing) -> None:
        """Its manufacturer's."""
        bucket = trust_bucket(self.deployed.lobby.account, self.deployed.lobby.region)
        self._s3.put_object(Bucket=bucket, Key=crl_key(thing.ca_id), Body=thing.maker.crl())

    def dialled(self, thing: Thing, scope: Target | None = None) -> BareMqtt | None:
        """Connected there, or None."""
        try:
            device = open_tls(self.deployed, thing.certificate, thing.key, scope)
        except HandshakeRefused:
            return None
        if device.connect(thing.name) == ACCEPTED:
            return device
        device.close()
        return None

    def let_in(self, thing: Thing) -> BareMqtt:
        """Connected to the lobby and listening."""
        next_try = [0.0]

        def knock() -> BareMqtt | None:
            if time.monotonic() < next_try[0]:
                return None
            next_try[0] = time.monotonic() + _KNOCK
            return self.dialled(thing)

        device = self.until("let in", knock)
        if device.subscribe(f"lobby/{thing.name}") == HUNG_UP:
            raise NotDone("hears its topic")
        return device

    def waiting(self, thing: Thing) -> BareMqtt:
        """Connected, and in the lobby by the ledger."""
        device = self.let_in(thing)
        device.publish(HELLO, b"{}")
        self.state(thing, "inlobby")
        return device

    def state(self, thing: Thing, *states: str, **fields: object) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.deployed.device(thing.certid)
            fits = found and found["devstate"] in states and all(found[key] == value for key, value in fields.items())
            return found if fits else None

        return self.until(" or ".join(states), look)

    def status(self, thing: Thing, scope: Target, *statuses: str | None) -> None:
        self.until(
            f"certificate {statuses[0]} in {scope.region}",
            lambda: self.deployed.status(thing.certid, scope) in statuses or None,
        )

    def hears(self, device: BareMqtt, what: str, words: bytes) -> None:
        """Its next messages have `words` among them, within the patience."""
        device.wait_at_most(self._patience)
        try:
            while words not in (said := device.read())[1]:
                if said == HUNG_UP:
                    raise NotDone(f"{what}: hung up on")
        except OSError:
            raise NotDone(what) from None
