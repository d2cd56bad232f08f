"""The limits of a whole request of `lobby-pki` to AWS, and their errors.

A request that was too late is not repeated, because it may have been carried out: the user repeats the command.
"""

from dataclasses import replace
from typing import Any, Final

from lobby import limited_requests
from lobby.limited_requests import Failures, Limits
from pki.ca.certificate_files import LIST_LIMIT
from pki.errors import RegistrationError

LIMITS: Final = replace(limited_requests.LIMITS, object_size=LIST_LIMIT)


def limit_requests(client: Any, limits: Limits = LIMITS) -> Any:
    """Return the client, which then raises `RegistrationError` NO_AWS for a response that is not complete in time, and
    NOT_AWS for one that is too large."""
    return limited_requests.limit_requests(client, Failures(_late, _large), limits)


def _late(server: str, seconds: float) -> RegistrationError:
    return RegistrationError(
        "NO_AWS",
        f"got no complete response from {server} within {seconds:g} s, want one: check the network and --endpoint-url,"
        " then repeat the command",
    )


def _large(size: int) -> RegistrationError:
    return RegistrationError("NOT_AWS", f"got a response of more than {size:,} bytes, want fewer")
