"""The interfaces of the client's parts: a connection, the store of a provisioned identity, and the store of renewed
certificates.

Tests have doubles of them.
"""

from collections.abc import Callable
from typing import Protocol

from device.machine.events import Event, KeyReady
from device.machine.plan import Endpoint
from device.machine.provisioning_messages import Pending
from device.machine.renewal_events import Certificates, RenewalKeyReady
from lobby.names import Fingerprint, ThingName


class Connection(Protocol):
    """The interface of `mqtt.MqttConnection`."""

    def open(self, endpoint: Endpoint) -> None: ...
    def subscribe(self, topic: str) -> None: ...
    def publish(self, topic: str, payload: bytes) -> None: ...
    def close(self) -> None: ...


class Identities(Protocol):
    """The interface of `identity_store.IdentityStore`. Each method raises `OSError` if the disk fails."""

    def prepare(self) -> KeyReady: ...
    def store_pending(self, pending: Pending | None) -> None: ...
    def store(self, thing: ThingName, certificate: Pending) -> None: ...


class Renewals(Protocol):
    """The interface of `renewals.Renewals`. Loading and storing raise `OSError` if the disk fails; nothing else
    raises."""

    def load(self) -> Certificates: ...
    def prepare(self) -> RenewalKeyReady: ...
    def store(self, pem: str, generation: int) -> Certificates: ...
    def promote(self) -> Certificates: ...
    def give_up(self) -> Certificates: ...
    def connection(
        self, certificate: Fingerprint, connection_id: int, report: Callable[[Event], None]
    ) -> Connection: ...
