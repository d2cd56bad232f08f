"""Whether AWS IoT is to be had in a Region: asked before a target is registered there.

A Region that is well formed but made up would pass for an outage: each of its devices would be tried again and
again, in front of others. The list is botocore's own, of the AWS partition; no call is made.
"""

from functools import cache

from botocore.session import get_session

from lobby.errors import InvalidInput
from lobby.names import Region


@cache
def iot_regions() -> frozenset[str]:
    return frozenset(get_session().get_available_regions("iot"))


def require_iot_region(region: Region) -> None:
    """Raises `InvalidInput` INVALID_REGION."""
    if region not in iot_regions():
        raise InvalidInput("INVALID_REGION", f"got {region}, want a Region that has AWS IoT, such as eu-west-1")
