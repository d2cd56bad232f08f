"""The current route of a device, even while its target is evacuated and its row is not changed yet.

A row without a standby costs no further read. Otherwise the target's record decides, which is read at most once in
`EVACUATION_CACHE` by each process.
"""

from datetime import timedelta
from typing import Final

from lobby.domain.device import Device
from lobby.errors import NotFound
from lobby.ledger.targets.target_registry import RecentTargets
from lobby.wire import Route

EVACUATION_CACHE: Final = timedelta(seconds=5)
"""How long a warm Lambda may work with data from before an evacuation."""


def current_route(device: Device, targets: RecentTargets) -> Route | None:
    """Return the route that a device gets now; None while it has to wait. A device of an evacuated target that cannot
    use the standby yet waits in the lobby, where it gets its route as soon as there is one."""
    if device.standby is None or device.standby.home or device.target is None:
        return device.route()
    try:
        is_evacuated = targets.get(device.target).evacuated_at is not None
    except NotFound:
        is_evacuated = False
    return device.standby_route() if is_evacuated else device.route()
