"""Devices that use the doors of a lobby with several Regions."""

from pathlib import Path

from infra.local.manufacturer import Manufacturer
from infra.local.powered_device import PoweredDevice
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.fleet import SHORT_INTERVALS, name_of
from tests.e2e.two_regions import TwoRegions


class Devices:
    """Devices that use the door of a Region."""

    def __init__(self, lobby: TwoRegions, directory: Path) -> None:
        self._lobby, self._directory = lobby, directory
        self._on: list[PoweredDevice] = []

    def make(self, manufacturer: Manufacturer | None = None) -> DevicePaths:
        return (manufacturer or self._lobby.local.manufacturer).make_device()

    def power_on(self, paths: DevicePaths, door: Target) -> PoweredDevice:
        """Start the client. Its state depends on the door, as if the device had been configured for that lobby."""
        state = self._directory / f"{name_of(paths)}-{door.region}"
        device = PoweredDevice(self._lobby.file_of(door), paths, state, SHORT_INTERVALS)
        self._on.append(device)
        return device

    def power_off(self) -> None:
        while self._on:
            self._on.pop().stop()
