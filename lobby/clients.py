"""How every Lambda talks to AWS: one place for time-outs and retries, and clients made when first used.

A device waits while we work, so a call gives up early and is tried again at once; what outlasts that is raised
and retried by whoever delivered the event. Nothing is made at import.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_s3 import S3Client

CALLS: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})


class LobbyClients:
    """The clients of the lobby's own account, each made on first use."""

    @cached_property
    def iot(self) -> "IoTClient":
        return boto3.client("iot", config=CALLS)

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        return boto3.client("iot-data", config=CALLS)

    @cached_property
    def s3(self) -> "S3Client":
        return boto3.client("s3", config=CALLS)
