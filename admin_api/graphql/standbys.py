"""Standbys in the API: the standby of a target with its progress, and the mutations that set, use and leave it."""

from enum import Enum
from typing import Annotated

import strawberry

from admin_api.graphql.arguments import Account, Region, described
from admin_api.graphql.change_types import Shadows
from admin_api.graphql.context import ABSENT, Context, Info, given, operation
from admin_api.graphql.targets import RegisteredTarget, TargetInput, target_from, target_named
from admin_api.operations import standbys as rules
from lobby.domain.change_requests import MAX_WHY
from lobby.domain.shadows.shadow_choices import ShadowChoice
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.target import RegisteredTarget as Row
from lobby.names import parse_target

Why = Annotated[str | None, described(f"The reason, for the histories: 1 to {MAX_WHY} printable characters.")]


@strawberry.enum(
    name="StandbyCertificates", description="The state of certificates in the standby before an evacuation."
)
class Certificates(Enum):
    ACTIVE = strawberry.enum_value(
        StandbyMode.ACTIVE.value,
        description="Devices can use the standby immediately. A stolen identity can use it at any time.",
    )
    INACTIVE = strawberry.enum_value(
        StandbyMode.INACTIVE.value,
        description="An evacuation activates each certificate first, at the standby's rate.",
    )


@strawberry.type(description="The operations that concern standbys. Only admins may use them.")
class StandbyMutation:
    @operation(
        "Sets the standby of a target, or none. Its devices are registered there in advance, at the standby's rate."
        " STANDBY_NOT_READY if checkTarget finds that something is missing there. A repeated request prepares"
        " the missing devices."
    )
    def set_standby(
        self,
        info: Info,
        account: Account,
        region: Region,
        standby: Annotated[TargetInput | None, described("The standby; null for none.")],
        certificates: Annotated[
            Certificates, described("The state of certificates there before an evacuation.")
        ] = Certificates.ACTIVE,
    ) -> RegisteredTarget | None:
        context, target = info.context, parse_target(account, region)
        other, mode = (target_named(standby) if standby else None), StandbyMode(str(certificates.value))
        return _shown(context, rules.set_standby(context.services, context.caller, target, other, mode))

    @operation(
        "Sends the devices of a target to its standby, from now on. If it has more devices than a campaign may have"
        " without approval, the first request is recorded, and that of another user within an hour evacuates it."
    )
    def evacuate_target(
        self, info: Info, account: Account, region: Region, why: Why = ABSENT
    ) -> RegisteredTarget | None:
        context, target = info.context, parse_target(account, region)
        return _shown(context, rules.evacuate(context.services, context.caller, target, given(why)))

    @operation("Ends an evacuation: the devices return to the target, at its rate.")
    def return_target(
        self,
        info: Info,
        account: Account,
        region: Region,
        why: Why = ABSENT,
        shadows: Shadows = ABSENT,
        drill_only: Annotated[
            bool, described("Only end a drill: TARGET_EVACUATED if the target was evacuated in the meantime.")
        ] = False,
    ) -> RegisteredTarget | None:
        context, target, wanted = info.context, parse_target(account, region), given(shadows)
        choice = None if wanted is None else ShadowChoice(str(wanted.value))
        returned = rules.come_back(context.services, context.caller, target, given(why), choice, drill_only=drill_only)
        return _shown(context, returned)

    @operation(
        "Sends a share of the prepared devices of a target to its standby, to test an evacuation. The campaign's"
        " results show which devices have arrived, and when. returnTarget returns them. DRILL_TOO_LARGE above the"
        " size of a campaign without approval."
    )
    def drill_target(
        self,
        info: Info,
        account: Account,
        region: Region,
        share: Annotated[float, described("The share of the devices, more than 0 and at most 1.")],
    ) -> RegisteredTarget | None:
        context, target = info.context, parse_target(account, region)
        return _shown(context, rules.drill(context.services, context.caller, target, share))


def _shown(context: Context, changed: Row) -> RegisteredTarget:
    return target_from(changed, context.services.targets.all(), context)
