"""The renewal of a device: its stored certificates, and connections with them.

If a stored certificate cannot be used, because its files or the servers' CA are damaged, each connection with it fails,
so the device tries its other certificate. No error here ends the client.
"""

from collections.abc import Callable
from pathlib import Path

from device.errors import BadCredentials
from device.interfaces import Connection
from device.libraries import Libraries, TlsFiles
from device.machine.events import ConnectionFailed, Disconnected, Event, Failure
from device.machine.plan import Endpoint
from device.machine.renewal_events import Certificates, RenewalKeyReady
from device.renewal_store import RenewalStore
from device.runtime import Opener
from device.validity import Validity
from lobby.names import Fingerprint, ThingName

Report = Callable[[Event], None]


class Renewals:
    """`device.interfaces.Renewals`: a store, and connections that use its certificates. `ca` are the servers' CAs, and
    `answer_s` is the time limit of an answer, in seconds."""

    def __init__(self, store: RenewalStore, libraries: Libraries, thing: ThingName, ca: Path, answer_s: float) -> None:
        self._store, self._libraries, self._thing = store, libraries, thing
        self._ca, self._answer_s = ca, answer_s
        self._openers: dict[Fingerprint, Opener] = {}

    def load(self) -> Certificates:
        return self._store.load()

    def prepare(self) -> RenewalKeyReady:
        return self._store.prepare()

    def store(self, pem: str, generation: int) -> Certificates:
        return self._store.store(pem, generation)

    def promote(self) -> Certificates:
        return self._store.promote()

    def give_up(self) -> Certificates:
        return self._store.give_up()

    def connection(self, certificate: Fingerprint, connection_id: int, report: Report) -> Connection:
        """Return a connection, not yet opened, that authenticates with this certificate."""
        try:
            return self._opener(certificate)(connection_id, report)
        except BadCredentials as error:
            return _Unusable(connection_id, report, error.message)

    def validity(self) -> Validity | None:
        """Return the validity of the renewed certificate in use; None if the device uses the certificate of its
        settings. Raise `OSError` if it cannot be read now."""
        used = self._store.load().used
        return self._libraries.validity(self._store.files(used).cert) if used else None

    def _opener(self, certificate: Fingerprint) -> Opener:
        if certificate not in self._openers:
            files = self._store.files(certificate)
            tls = TlsFiles(files.cert, files.key, self._ca)
            self._openers[certificate] = self._libraries.opener(tls, lambda: self._thing, self._answer_s)
        return self._openers[certificate]


class _Unusable:
    """A connection that cannot be opened."""

    def __init__(self, connection_id: int, report: Report, why: str) -> None:
        self._id, self._report, self._why = connection_id, report, why

    def open(self, endpoint: Endpoint) -> None:
        self._report(ConnectionFailed(self._id, Failure.LOCAL, f"{endpoint}: {self._why}"))

    def subscribe(self, topic: str) -> None: ...

    def publish(self, topic: str, payload: bytes) -> None: ...

    def close(self) -> None:
        self._report(Disconnected(self._id))
