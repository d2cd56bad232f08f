"""Where a test makes its devices and powers them on, and how it waits for what they do."""

from pathlib import Path

from infra.local.manufacturer import Manufacturer
from infra.local.powered_device import PoweredDevice
from lobby.names import Fingerprint
from pki.certificates import fingerprint, load_certificate
from pki.devices import DevicePaths
from tests.e2e.deployment import Deployment, until
from tests.e2e.v01_device import V01Device

_IMPATIENT = (
    *("--retry-base", "0.5", "--retry-cap", "1", "--hello-every", "2", "--alive-every", "5", "--settle-after", "0.5"),
    *("--fallback-attempts", "3", "--revisit-base", "1", "--revisit-cap", "2", "--answer-within", "30"),
)
"""The client's patience in a field is hours; here it is seconds."""


class Workbench:
    """For one test; `off` takes the power from everything."""

    def __init__(self, deployed: Deployment, directory: Path) -> None:
        self.deployed, self._directory = deployed, directory
        self.powered: list[PoweredDevice] = []
        self.old: list[V01Device] = []

    def make(self, manufacturer: Manufacturer | None = None, name: str | None = None) -> DevicePaths:
        """A new device, as it leaves the deployment's manufacturer or another."""
        return (manufacturer or self.deployed.local.manufacturer).make_device(name)

    def manufacturer(self, name: str, *, registered: bool = True) -> Manufacturer:
        """Another manufacturer's."""
        manufacturer = Manufacturer(self._directory / name)
        manufacturer.authority()
        if registered:
            self.register(manufacturer)
        return manufacturer

    def register(self, manufacturer: Manufacturer) -> str:
        lobby = self.deployed.lobby
        return manufacturer.register(self.deployed.emulator.session(lobby.account, lobby.region), lobby)

    def power(self, paths: DevicePaths, *options: str) -> PoweredDevice:
        """The reference client, impatient. Again: the same device with what it had kept."""
        state = self._directory / "devices" / name_of(paths)
        device = PoweredDevice(self.deployed.file, paths, state, (*_IMPATIENT, *options))
        self.powered.append(device)
        return device

    def power_v01(self, paths: DevicePaths) -> V01Device:
        file = self.deployed.file
        server = (file.server_ca_path, file.lobby_endpoint, file.mqtt_port)
        device = V01Device(name_of(paths), paths.chain, paths.key, *server)
        self.old.append(device)
        return device

    def off(self) -> None:
        for device in self.powered:
            device.stop()
        for old in self.old:
            old.stop()


def name_of(paths: DevicePaths) -> str:
    return paths.certificate.name.removesuffix(".cert.pem")


def certid_of(paths: DevicePaths) -> Fingerprint:
    return fingerprint(load_certificate(paths.certificate))


def says(device: PoweredDevice, event: str, **fields: object) -> dict[str, object]:
    """Waits until the reference client says so."""
    return until(lambda: device.first(event, **fields), device.last_output)


def does(device: V01Device, what: str, times: int = 1) -> object:
    """Waits until the v0.1 device has done it for that time."""
    until(lambda: device.count(what) >= times or None, lambda: (device.events[-5:], device.crash))
    return device.last(what)
