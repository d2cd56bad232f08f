"""Finds the Region of an unsigned call to Cognito by the app client that it names.

Difference from AWS: each Region has its own endpoint, so an unsigned call, such as InitiateAuth, reaches the Region of
its user pool. Here all Regions share one endpoint, and MiniStack handles an unsigned call in its default Region.

Unnecessary when: MiniStack looks for an app client in all Regions of the account.
"""

from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_COGNITO: Final = "ministack.services.cognito"
INITIATE: Final = PatchPoint(_COGNITO, "_initiate_auth", ("data",))
RESPOND: Final = PatchPoint(_COGNITO, "_respond_to_auth_challenge", ("data",))
POOLS: Final = PatchPoint(_COGNITO, "_user_pools._data")
SCOPE: Final = PatchPoint("ministack.core.responses", "request_scope", ("account_id", "region"))
PATCH_POINTS: Final = (INITIATE, RESPOND, POOLS, SCOPE)


def apply() -> None:
    """Handle these calls in the account and Region of the client's pool."""
    for patch_point in (INITIATE, RESPOND):
        patch_point.wrap(_in_its_region)


def _in_its_region(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def handle(data: Any) -> Any:
        client = data.get("ClientId")
        for (account, region, _pool), pool in list(POOLS.resolve().items()):
            if client in pool["_clients"]:
                with SCOPE.resolve()(account, region):
                    return original(data)
        return original(data)

    return handle
