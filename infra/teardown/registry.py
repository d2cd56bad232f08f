"""AWS IoT's registry of one account and Region, paced to its quotas. Counts the calls.

A removal makes several calls for each device and would be throttled without a pace. A missing resource can be accepted,
so that an interrupted removal can be repeated.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.teardown.pacing import Pacer
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

RETRIES: Final = Config(retries={"mode": "standard", "total_max_attempts": 8}, max_pool_connections=32)
"""The configuration of the client: a throttled call is repeated with increasing delays."""
NOT_FOUND: Final = "ResourceNotFoundException"
_PAGE: Final = 250
"""The maximum of the lists' page size (AWS IoT API reference)."""
_SIZES: Final = {"ListThings": "maxResults"}


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


class Registry:
    """The registry of `where`. `sleep` waits for seconds until an eventually consistent change is visible."""

    def __init__(
        self, iot: "IoTClient", where: Target, pacer: Pacer | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._iot, self.where, self._pacer, self.sleep = iot, where, pacer or Pacer(), sleep
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        """Calls by operation, including each of the client's retries."""

    def certificate_arn(self, certid: str) -> str:
        return f"arn:aws:iot:{self.where.region}:{self.where.account}:cert/{certid}"

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a call, such as `UpdateCertificate`, when its quota allows it. Raise `ClientError`."""
        self._pacer.wait(operation)
        answer: dict[str, Any] = getattr(self._iot, xform_name(operation))(**parameters)
        attempts = 1 + int(answer.get("ResponseMetadata", {}).get("RetryAttempts", 0))
        with self._lock:
            self.calls[operation] += attempts
        return answer

    def call_if_present(self, operation: str, **parameters: Any) -> bool:
        """Make a call. Return False if its resource does not exist."""
        try:
            self.call(operation, **parameters)
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return False
            raise
        return True

    def listed(self, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Yield the elements of all pages of a list, such as `ListThings` with the key `things`."""
        size = {_SIZES.get(operation, "pageSize"): _PAGE}
        tokens: dict[str, str] = {}
        while True:
            page = self.call(operation, **parameters, **size, **tokens)
            yield from page.get(key, [])
            following = page.get("nextToken") or page.get("nextMarker")
            if not following:
                return
            tokens = {"nextToken" if "nextToken" in page else "marker": following}

    def listed_if_present(self, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Yield the elements of a list; nothing if its resource does not exist."""
        try:
            yield from self.listed(operation, key, **parameters)
        except ClientError as error:
            if code_of(error) != NOT_FOUND:
                raise
