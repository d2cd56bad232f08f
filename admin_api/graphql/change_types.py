"""The types of changes of many devices: the input, the preview, and the results."""

from enum import Enum
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from admin_api.graphql.arguments import described
from admin_api.graphql.device_pages import PageInfo
from admin_api.graphql.devices import Device
from admin_api.graphql.filters import DeviceFilter
from admin_api.graphql.limits import MAX_BULK
from admin_api.graphql.targets import TargetInput
from lobby.domain.change_requests import MAX_WHY, ChangeOperation
from lobby.domain.shadows.shadow_choices import ShadowChoice


@strawberry.enum(name="ChangeOperation", description="An operation on devices.")
class Operation(Enum):
    CLAIM = strawberry.enum_value(
        ChangeOperation.CLAIM.value,
        description="Claim devices that have no claim, also before they connect. Takes target, profile and config.",
    )
    MOVE = strawberry.enum_value(
        ChangeOperation.MOVE.value,
        description="Claim them for another target. Takes target, profile, config and shadows.",
    )
    CONFIGURE = strawberry.enum_value(
        ChangeOperation.CONFIGURE.value,
        description="Change the configuration or profile of their claims. Takes profile and config.",
    )
    RELEASE = strawberry.enum_value(
        ChangeOperation.RELEASE.value, description="Remove their claims; they return to the lobby."
    )
    REVOKE = strawberry.enum_value(ChangeOperation.REVOKE.value, description="Revoke them permanently. Takes why.")
    RETRY = strawberry.enum_value(ChangeOperation.RETRY.value, description="Retry failed or unfinished work.")
    RENEW = strawberry.enum_value(
        ChangeOperation.RENEW.value,
        description="Request them to renew their certificates, now and each day until they have.",
    )
    DISMISS = strawberry.enum_value(
        ChangeOperation.DISMISS.value,
        description="State that they are one device each, although their certificates seem to be in use twice. Takes"
        " why.",
    )
    QUARANTINE = strawberry.enum_value(
        ChangeOperation.QUARANTINE.value, description="Deactivate their certificates until LIFT. Takes why."
    )
    LIFT = strawberry.enum_value(ChangeOperation.LIFT.value, description="End their quarantine. Takes why.")
    PREPARE = strawberry.enum_value(
        ChangeOperation.PREPARE.value,
        description="Register them in the standby of their target. Only setStandby starts it.",
    )
    EVACUATE = strawberry.enum_value(
        ChangeOperation.EVACUATE.value, description="Send them to the standby. Only evacuateTarget starts it."
    )
    RETURN = strawberry.enum_value(
        ChangeOperation.RETURN.value, description="Return them from the standby. Only returnTarget starts it."
    )
    DRILL = strawberry.enum_value(
        ChangeOperation.DRILL.value, description="Send a share of them to the standby. Only drillTarget starts it."
    )


@strawberry.enum(name="ShadowChoice", description="What happens to the shadows of a device that is moved.")
class ShadowOption(Enum):
    LEAVE = strawberry.enum_value(
        ShadowChoice.LEAVE.value, description="The shadows stay with the thing in the old target."
    )
    MIGRATE = strawberry.enum_value(
        ShadowChoice.MIGRATE.value,
        description="The desired and reported state of all shadows is copied to the new target, before the device"
        " gets its route.",
    )
    RESET = strawberry.enum_value(
        ShadowChoice.RESET.value,
        description="All shadows of the device's thing in the new target are deleted, before the device gets its"
        " route. The shadows in the old target stay.",
    )


Shadows = Annotated[ShadowOption | None, described("What happens to the device's shadows. Omitted: LEAVE.")]


@strawberry.input(description="A change of one or many devices.")
class ChangeInput:
    operation: Operation = strawberry.field(description="The operation on each device.")
    target: TargetInput | None = strawberry.field(
        default=strawberry.UNSET, description="CLAIM and MOVE only: the target."
    )
    profile: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="CLAIM, MOVE and CONFIGURE: the profile. Omitted: each device keeps its own; a claim takes that"
        " of the device's enrolment, or else the target's default.",
    )
    config: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="CLAIM, MOVE and CONFIGURE: the configuration. Omitted: each device keeps its own; a claim takes"
        ' that of the device\'s enrolment, or else `"default"`.',
    )
    why: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="REVOKE, DISMISS, QUARANTINE and LIFT only, required: the reason,"
        f" for the history: 1 to {MAX_WHY} printable characters.",
    )
    shadows: ShadowOption | None = strawberry.field(
        default=strawberry.UNSET,
        description="MOVE only: what happens to the shadows of each device. Omitted: LEAVE.",
    )


@strawberry.input(description="A device to change.")
class ChosenDevice:
    certid: strawberry.ID = strawberry.field(description="The fingerprint or label.")
    generation: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The generation that the preview showed. A device that was changed since is left as it is:"
        " CHANGED_MEANWHILE. Omitted: any generation.",
    )
    devstate: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The state that the preview showed. A retry leaves a device that has entered another one since:"
        " CHANGED_MEANWHILE. Omitted: any state.",
    )


@strawberry.type(description="The predicted result of a change for a device.")
class PreviewedDevice:
    certid: strawberry.ID = strawberry.field(description="The fingerprint or label as given.")
    ok: bool = strawberry.field(description="Whether the change is possible.")
    changes: bool = strawberry.field(description="False for a device that is refused, or already as requested.")
    code: str | None = strawberry.field(description="Why the change is refused, as in `extensions.code`.")
    message: str | None = strawberry.field(
        description="The received and the expected value; null if the change is possible."
    )
    generation: int = strawberry.field(description="The generation to pass to changeDevices; 0 without a row.")
    state: str | None = strawberry.field(
        description="The state that follows; null if refused or if the row is removed."
    )
    device: Device | None = strawberry.field(description="The device as it is, as in a list; null without a row.")


@strawberry.type(description="The number of devices that are refused for one reason.")
class RefusalCount:
    code: str = strawberry.field(description="The reason, as in `extensions.code`.")
    count: int = strawberry.field(description="The number of devices.")


@strawberry.type(
    description="The predicted results of a change. Nothing is changed. The counts are those of this page."
)
class ChangePreview:
    total: int = strawberry.field(description="Devices on this page.")
    changing: int = strawberry.field(description="Devices that would be changed.")
    unchanged: int = strawberry.field(description="Devices that are already as requested.")
    refusals: list[RefusalCount] = strawberry.field(description="Refused devices by reason, highest count first.")
    devices: list[PreviewedDevice] = strawberry.field(
        description="One item for each device: of a list in its order, of a filter with those that match."
    )
    page_info: PageInfo = strawberry.field(description="The position in the filter's list; a list has one page.")


@strawberry.type(description="The result of changing one of several devices.")
class ChangeResult:
    certid: strawberry.ID = strawberry.field(description="The fingerprint or label as given.")
    ok: bool = strawberry.field(description="Whether the device is as requested now.")
    code: str | None = strawberry.field(
        description="The error code, as in `extensions.code`; null on success."
        " NOT_TRIED: the time limit was reached; send the item again. docs/api.md lists the codes."
    )
    message: str | None = strawberry.field(description="The received and the expected value; null on success.")
    forgotten: bool = strawberry.field(
        description="Whether the row was deleted: a released device that never connected. Its history remains."
    )
    device: Device | None = strawberry.field(
        description="The changed device, as in a list; null on error, or if forgotten."
    )


@strawberry.type(description="The results of changing several devices.")
class BulkChange:
    results: list[ChangeResult] = strawberry.field(description="One result for each item of `devices`, in order.")


WantedChange = Annotated[ChangeInput, described("The operation on the devices.")]
ChosenDevices = Annotated[list[ChosenDevice], described(f"The devices, at most {MAX_BULK:,}.")]
ListedDevices = Annotated[
    list[ChosenDevice] | None, described(f"The devices, at most {MAX_BULK:,}. Either these or a filter is required.")
]
MatchingDevices = Annotated[
    DeviceFilter | None, described("Selects the devices instead of a list. `changeDevices` takes the resulting list.")
]
