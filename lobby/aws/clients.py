"""AWS clients for all Lambdas: timeouts, retries, and when clients are created.

A device waits for the response, so a call times out early and is retried immediately; a longer failure is raised, and
the source of the event retries. Clients come from botocore, with one session: boto3 would import its resources and S3
transfers as well, and every session reads the endpoint rules again, which lengthens a cold start.
"""

import os
from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.config import Config
from botocore.session import Session

from lobby.ledger.connection import aws_session
from lobby.names import Region

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient

T = TypeVar("T")
CLIENT_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=40,  # one for each thread of a lane's worker; botocore's default is 10
)
_AWAY: Final = CLIENT_CONFIG.merge(Config(read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}))


def at_init(factory: Callable[[], T]) -> "_lru_cache_wrapper[T]":
    """Decorate the factory of an entry point: cache its result, and create it during Lambda's initialisation.

    In Lambda (AWS_LAMBDA_FUNCTION_NAME is set), `factory` runs when the module is imported, because initialisation has
    a full CPU and precedes the first event. Elsewhere it runs at the first call, so that an import creates no client.
    """
    cached = cache(factory)
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        cached()
    return cached


@cache
def session() -> Session:
    """Return the botocore session of this process, which is the ledger's."""
    return aws_session()


def client(service: str, config: Config = CLIENT_CONFIG, **options: Any) -> Any:
    """Return a new client. `options` are the arguments of `create_client`, such as `region_name` and credentials."""
    return session().create_client(service, config=config, **options)


def data_plane(host: str | None, **options: Any) -> "IoTDataPlaneClient":
    """Return a client of AWS IoT's data plane at `host`, the account's own endpoint (`DescribeEndpoint`, type
    `iot:Data-ATS`). The SDK's default endpoint, which is used without a host, is for tests only (AWS IoT Core endpoints
    and quotas, "Data plane endpoints"). An endpoint in AWS_ENDPOINT_URL, such as the local cloud's, has precedence."""
    if host and not os.environ.get("AWS_ENDPOINT_URL"):
        options["endpoint_url"] = f"https://{host}"
    iot_data: IoTDataPlaneClient = client("iot-data", **options)
    return iot_data


class LobbyClients:
    """The clients for the lobby's own account, each created at its first use."""

    @cached_property
    def iot(self) -> "IoTClient":
        iot: IoTClient = client("iot")
        return iot

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        return data_plane(os.environ.get("IOT_DATA_ENDPOINT"))

    @cached_property
    def kms(self) -> Any:
        return client("kms")

    @cache  # noqa: B019  # one object for a process
    def kms_of(self, region: Region) -> Any:
        """Return the client for keys of a Region."""
        return client("kms", region_name=region)

    @cached_property
    def s3(self) -> "S3Client":
        s3: S3Client = client("s3")
        return s3

    @cached_property
    def ssm(self) -> "SSMClient":
        ssm: SSMClient = client("ssm")
        return ssm

    @cache  # noqa: B019  # one object for a process
    def ssm_of(self, region: Region) -> "SSMClient":
        """Return the client of another Region of the lobby. It gives up early, because that Region may be down."""
        ssm: SSMClient = client("ssm", _AWAY, region_name=region)
        return ssm

    @cached_property
    def sns(self) -> "SNSClient":
        sns: SNSClient = client("sns")
        return sns

    @cached_property
    def sqs(self) -> "SQSClient":
        sqs: SQSClient = client("sqs")
        return sqs
