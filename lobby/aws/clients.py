"""How every Lambda talks to AWS: one place for time-outs and retries, and clients made when first used.

A device waits while we work, so a call gives up early and is tried again at once; what outlasts that is raised
and retried by whoever delivered the event. Nothing is made at import. Clients come from botocore, of one session:
boto3 would import its resources and S3's transfers on top, and each session reads the endpoints' rules anew, which
a device that waits for a cold start would wait for, too.
"""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.session import Session

from lobby.ledger.connection import aws_session

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient
    from types_boto3_s3 import S3Client

CLIENT_CONFIG: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})


@cache
def session() -> Session:
    """The one of this process, which is the ledger's: it is there anyway."""
    return aws_session()


def client(service: str, config: Config = CLIENT_CONFIG, **where: Any) -> Any:
    """A new client; `where` is what `create_client` takes: `region_name`, credentials."""
    return session().create_client(service, config=config, **where)


class LobbyClients:
    """The clients of the lobby's own account, each made on first use."""

    @cached_property
    def iot(self) -> "IoTClient":
        made: IoTClient = client("iot")
        return made

    @cached_property
    def iot_data(self) -> "IoTDataPlaneClient":
        made: IoTDataPlaneClient = client("iot-data")
        return made

    @cached_property
    def s3(self) -> "S3Client":
        made: S3Client = client("s3")
        return made
