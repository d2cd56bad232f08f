"""The type for the standby of one device, and whether the device is registered there."""

import strawberry

from admin_api.graphql.targets import Target
from admin_api.graphql.value_lists import one_of
from lobby.domain.device import Device
from lobby.domain.standby.standby import StandbyStatus


@strawberry.type(
    description="The second target of a device: the standby of its target, or the target that it was evacuated from."
)
class DeviceStandby:
    target: Target = strawberry.field(description="The second target.")
    status: str = strawberry.field(description=f"The state of its certificate there. {one_of(StandbyStatus)}")
    evacuated: bool = strawberry.field(description="Whether the device was evacuated from there and will return.")
    pending: bool = strawberry.field(description="Whether work for the device waits there.")
    visited: bool = strawberry.field(
        description="Whether the device was last reported there, because it reached neither its target nor the lobby."
    )
    reason: str | None = strawberry.field(
        description="The reason why the device was refused there; null if it was not refused."
    )


def standby_of(device: Device) -> DeviceStandby | None:
    standby = device.standby
    if standby is None:
        return None
    return DeviceStandby(
        target=Target(account=standby.target.account, region=standby.target.region),
        status=standby.status.value,
        evacuated=standby.home,
        pending=standby.wanted,
        visited=standby.visited,
        reason=standby.code,
    )
