"""The commissioner's part in the lobby's own AWS IoT: activate and deactivate certificates, and end connections.

Every step can be repeated. After each change of a certificate, the row is read again, because another event may now
require the opposite. So the last change always matches the row. A deleted certificate stays deleted.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from commissioner.target_gateway import registry
from lobby.aws.region_clients import RegionClients
from lobby.domain.device import Device
from lobby.domain.states import DEACTIVATED_STATES, State
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient


class LobbySide:
    """`iot` and `iot_data` are clients of the lobby account in this Region, and `regions` those in its other
    Regions."""

    def __init__(
        self, ledger: Ledger, iot: "IoTClient", iot_data: "IoTDataPlaneClient", regions: RegionClients
    ) -> None:
        self._ledger, self._iot, self._iot_data, self._regions = ledger, iot, iot_data, regions

    def expel(self, device: Device) -> None:
        """Deactivate the certificates of a device, and end its connection."""
        self.deactivate(device.all_certificates)
        self._disconnect(device)

    def send_away(self, device: Device) -> None:
        """Make a transferred device that is connected to the lobby send another hello, which is answered with its new
        lobby. At the end of the transfer, deactivate its certificate here. Read the row afterwards, because the device
        may have come back in the meantime."""
        if device.transfer is None or not device.transfer.ended:
            self._disconnect(device)
            return
        self.expel(device)
        current = self._ledger.get(device.certid)
        if current is not None and current.devstate is not State.TRANSFERRED:
            self.reactivate(current)

    def _disconnect(self, device: Device) -> None:
        if device.devicename is not None:
            for iot_data in self._regions.data_everywhere(self._iot_data):
                registry.disconnect(iot_data, device.devicename)

    def reactivate(self, device: Device) -> None:
        """Activate the certificates of a device whose quarantine was lifted. Read the row afterwards: if the device was
        revoked or quarantined again in the meantime, the certificates are deactivated again, so that the last change
        matches the row."""
        for certificate in device.certificates:
            self._regions.everywhere(self._iot, partial(registry.activate_in_lobby, certid=certificate))
        current = self._ledger.get(device.certid)
        if current is not None and current.devstate in DEACTIVATED_STATES:
            self.deactivate(current.all_certificates)

    def deactivate(self, certificates: Iterable[Fingerprint]) -> None:
        for certificate in certificates:
            self._regions.everywhere(self._iot, partial(registry.deactivate, certid=certificate))
