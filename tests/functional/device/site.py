"""What a test with real TLS needs: a CA, a server that it vouches for, a device, and a folder for its state."""

from dataclasses import dataclass
from pathlib import Path

from device.credentials import FileCredentials
from device.machine.plan import Endpoint
from tests.functional.device.paper import Paper, issue
from tests.functional.device.scripted_broker import Broker, Script

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Site:
    """All of it in `folder`."""

    folder: Path
    ca: Paper
    server: Paper
    device: Paper

    @property
    def credentials(self) -> FileCredentials:
        return FileCredentials(self.device.cert, self.device.key, self.ca.cert)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def broker(self, *given: Script, port: int = 0) -> Broker:
        return Broker(self.server, self.ca, *given, port=port)


def make_site(folder: Path) -> Site:
    ca = issue(folder, "ca")
    return Site(folder, ca, issue(folder, "server", ca), issue(folder, "sensor-1", ca))


def at(broker: Broker) -> Endpoint:
    return Endpoint(HERE, broker.port)
