"""A parameter of Systems Manager's Parameter Store, read again after some time, and parsed once for each value.

A parameter that cannot be read or is wrong is an error each time, never an earlier value: a change that an operator has
made by mistake must be noticed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from botocore.exceptions import ClientError

from lobby.errors import InvalidInput
from lobby.ledger.clock import now

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

T = TypeVar("T")
CACHE_TIME: Final = timedelta(minutes=1)


class Parameter(Generic[T]):
    """The parameter `name`. `parse` raises an error for a wrong value. `ssm` returns the client."""

    def __init__(
        self,
        ssm: "Callable[[], SSMClient]",
        name: str,
        parse: Callable[[str], T],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._ssm, self._name, self._parse, self._clock = ssm, name, parse, clock
        self._cached: tuple[datetime, T] | None = None

    def value(self) -> T:
        """Return the parsed value, at most `CACHE_TIME` old. Raise `InvalidInput` INVALID_SETTINGS, or the errors of
        `parse`."""
        at = self._clock()
        if self._cached is None or self._cached[0] <= at - CACHE_TIME:
            self._cached = None
            self._cached = (at, self._parse(self._text()))
        return self._cached[1]

    def _text(self) -> str:
        try:
            return self._ssm().get_parameter(Name=self._name)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            got = f"got no parameter {self._name}"
            raise InvalidInput("INVALID_SETTINGS", f"{got}, want it in Parameter Store") from None
