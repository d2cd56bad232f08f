"""Clients of AWS IoT in the other Regions of a lobby. A device is connected to one of them, its `lobbyregion`.

A device that has used several Regions has its certificate registered in each of them, so a certificate is deactivated
in all Regions. If a Region does not answer, the others are tried first, then the error is raised and the work is
repeated. The data endpoint of each Region is looked up once. In a lobby with one Region, only the given clients are
used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.aws.clients import client, data_plane
from lobby.aws.device_messages import send
from lobby.domain.device import Device
from lobby.names import Region
from lobby.settings import lobby_regions
from lobby.wire import Message

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_s3 import S3Client


logger = Logger(service="commissioner")


class _OtherRegion:
    """The clients of one other Region."""

    def __init__(self, region: Region) -> None:
        self._region, self._lock = region, Lock()

    @cached_property
    def iot(self) -> "IoTClient":
        with self._lock:  # botocore's creation of clients is not thread-safe
            iot: IoTClient = client("iot", region_name=self._region)
        return iot

    @cached_property
    def s3(self) -> "S3Client":
        with self._lock:
            s3: S3Client = client("s3", region_name=self._region)
        return s3

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        host = self.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
        with self._lock:
            return data_plane(host, region_name=self._region)


class RegionClients:
    """`others` are the other Regions; `make` returns the clients of one."""

    def __init__(self, others: Sequence[Region] = (), make: Callable[[Region], Any] = _OtherRegion) -> None:
        self._regions = {region: make(region) for region in others}

    @classmethod
    def of(cls, own: Region, environment: Mapping[str, str]) -> "RegionClients":
        return cls([each for each in lobby_regions(environment) if each != own])

    @property
    def others(self) -> tuple[Region, ...]:
        return tuple(self._regions)

    def iot(self, region: Region | None, own: "IoTClient") -> "IoTClient":
        """Return the client for devices in `region`; `own` is the client of this Region."""
        found = self._regions.get(region) if region else None
        return found.iot if found else own

    def iot_data(self, region: Region | None, own: "IoTDataPlaneClient") -> "IoTDataPlaneClient":
        found = self._regions.get(region) if region else None
        return found.iot_data if found else own

    def s3(self, region: Region | None, own: "S3Client") -> "S3Client":
        found = self._regions.get(region) if region else None
        return found.s3 if found else own

    def send(self, device: Device, message: Message, own: "IoTDataPlaneClient") -> None:
        """Send a message to a device in the lobby. The message only saves time, because the device asks again with its
        next hello. If another Region does not answer, the failure is logged, and no other device is
        delayed."""
        if device.devicename is None:
            return
        try:
            send(self.iot_data(device.lobbyregion, own), device.devicename, message)
        except (BotoCoreError, ClientError) as error:
            if device.lobbyregion not in self._regions:
                raise
            why = f"{type(error).__name__}: {error}"[:200]
            logger.warning("not sent", extra={"certid": device.certid, "region": device.lobbyregion, "why": why})

    def everywhere(self, own: "IoTClient", act: Callable[["IoTClient"], None]) -> None:
        """Run `act` in every Region. Raise the first error after all Regions were tried."""
        errors: list[Exception] = []
        for found in (None, *self._regions.values()):
            try:
                act(found.iot if found else own)
            except Exception as error:  # noqa: BLE001  # raised below
                errors.append(error)
        if errors:
            raise errors[0]

    def each(self, own: "IoTClient") -> Sequence[Callable[[], "IoTClient"]]:
        """Return the factories of the clients of all Regions, this Region's first."""
        return [lambda: own, *(partial(getattr, found, "iot") for found in self._regions.values())]

    def data_everywhere(self, own: "IoTDataPlaneClient") -> Sequence[Callable[[], "IoTDataPlaneClient"]]:
        """Return the factories of the data plane's clients of all Regions."""
        return [lambda: own, *(partial(getattr, found, "iot_data") for found in self._regions.values())]


ONE_REGION: Final = RegionClients()
