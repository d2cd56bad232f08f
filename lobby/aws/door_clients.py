"""AWS IoT in the other Regions of a lobby: a device is connected to the door that admitted it, in `lobbyregion`.

A certificate can be registered in several Regions, if its device has used several doors, so it is deactivated in all.
A Region that does not answer is an error after all others were tried, and the work is repeated. The data endpoint of a
Region is asked for once. In a lobby with one Region, only the given clients are used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from lobby.aws.clients import client, data_plane
from lobby.names import Region
from lobby.settings import lobby_regions

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient


class _Door:
    """The clients of one other Region."""

    def __init__(self, region: Region) -> None:
        self._region, self._lock = region, Lock()

    @cached_property
    def iot(self) -> "IoTClient":
        with self._lock:  # botocore's creation of clients is not thread-safe
            iot: IoTClient = client("iot", region_name=self._region)
        return iot

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        host = self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        with self._lock:
            return data_plane(host, region_name=self._region)


class DoorClients:
    """`others` are the other Regions; `make` returns the clients of one."""

    def __init__(self, others: Sequence[Region] = (), make: Callable[[Region], Any] = _Door) -> None:
        self._doors = {region: make(region) for region in others}

    @classmethod
    def of(cls, own: Region, environment: Mapping[str, str]) -> "DoorClients":
        return cls([each for each in lobby_regions(environment) if each != own])

    def iot(self, region: Region | None, own: "IoTClient") -> "IoTClient":
        """Return the client for devices of the door in `region`; `own` is that of this Region."""
        door = self._doors.get(region) if region else None
        return door.iot if door else own

    def iot_data(self, region: Region | None, own: "IoTDataPlaneClient") -> "IoTDataPlaneClient":
        door = self._doors.get(region) if region else None
        return door.iot_data if door else own

    def everywhere(self, own: "IoTClient", act: Callable[["IoTClient"], None]) -> None:
        """Do something in every Region. Raise the first error, after all were tried."""
        errors: list[Exception] = []
        for door in (None, *self._doors.values()):
            try:
                act(door.iot if door else own)
            except Exception as error:  # noqa: BLE001  # raised below
                errors.append(error)
        if errors:
            raise errors[0]

    def data_everywhere(self, own: "IoTDataPlaneClient") -> Sequence[Callable[[], "IoTDataPlaneClient"]]:
        """Return what returns the client of each Region."""
        return [lambda: own, *(partial(getattr, door, "iot_data") for door in self._doors.values())]


ONE_REGION: Final = DoorClients()
