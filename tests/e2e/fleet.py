"""The devices of one test: created, powered on, and powered off at the end of the test."""

from pathlib import Path

from infra.local.manufacturer import Manufacturer
from infra.local.powered_device import PoweredDevice
from lobby.names import Fingerprint
from pki.ca.certificates import fingerprint, load_certificate
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import Deployment, until
from tests.e2e.v01_device import V01Device

SHORT_INTERVALS = (
    *("--retry-base", "0.5", "--retry-cap", "1", "--hello-every", "2", "--alive-every", "5", "--settle-after", "0.5"),
    *("--fallback-attempts", "3", "--revisit-base", "1", "--revisit-cap", "2", "--answer-within", "30"),
)
"""Seconds in place of the client's default intervals, which are up to hours."""


class Fleet:
    """Devices with their state in `directory`."""

    def __init__(self, deployed: Deployment, directory: Path) -> None:
        self.deployed, self._directory = deployed, directory
        self.powered: list[PoweredDevice] = []
        self.v01: list[V01Device] = []

    def make(self, manufacturer: Manufacturer | None = None, name: str | None = None) -> DevicePaths:
        """Create a device of `manufacturer`, by default the deployment's."""
        return (manufacturer or self.deployed.local.manufacturer).make_device(name)

    def manufacturer(self, name: str, *, registered: bool = True) -> Manufacturer:
        """Create another manufacturer."""
        manufacturer = Manufacturer(self._directory / name)
        manufacturer.authority()
        if registered:
            self.register(manufacturer)
        return manufacturer

    def register(self, manufacturer: Manufacturer) -> str:
        """Register the manufacturer's CA and return its id."""
        lobby = self.deployed.lobby
        return manufacturer.register(self.deployed.emulator.session(lobby.account, lobby.region), lobby)

    def power_on(self, paths: DevicePaths, *options: str) -> PoweredDevice:
        """Start the reference client with short intervals. A device that is powered on again has its stored state."""
        state = self._directory / "devices" / name_of(paths)
        device = PoweredDevice(self.deployed.file, paths, state, (*SHORT_INTERVALS, *options))
        self.powered.append(device)
        return device

    def power_on_v01(self, paths: DevicePaths) -> V01Device:
        """Start a v0.1 sample device."""
        file = self.deployed.file
        server = (file.server_ca_path, file.lobby_endpoint, file.mqtt_port)
        device = V01Device(name_of(paths), paths.chain, paths.key, *server)
        self.v01.append(device)
        return device

    def power_off(self) -> None:
        """Stop all devices."""
        for device in self.powered:
            device.stop()
        for v01 in self.v01:
            v01.stop()


def name_of(paths: DevicePaths) -> str:
    return paths.certificate.name.removesuffix(".cert.pem")


def certid_of(paths: DevicePaths) -> Fingerprint:
    return fingerprint(load_certificate(paths.certificate))


def wait_for_event(device: PoweredDevice, event: str, **fields: object) -> dict[str, object]:
    """Return the first event with this name and these fields that the reference client logs."""
    return until(lambda: device.first(event, **fields), device.last_output)


def wait_for_v01(device: V01Device, what: str, times: int = 1) -> object:
    """Wait until the v0.1 device has recorded `what` this many times, and return its last value."""
    until(lambda: device.count(what) >= times or None, lambda: (device.events[-5:], device.crash))
    return device.last(what)
