"""The operations of users on standbys: sets a target's standby after a check, evacuates a target, and returns it.

The write of the target's record takes effect immediately. Then the campaign that changes the rows is created. If this
fails, the sweeper creates the campaign.
"""

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.change_requests import reason_of
from lobby.domain.shadows.shadow_choices import ShadowChoice
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.target import RegisteredTarget
from lobby.errors import Conflict
from lobby.names import Target

logger = Logger(service="admin-api")


def set_standby(
    services: Services, caller: Caller, target: Target, standby: Target | None, mode: StandbyMode
) -> RegisteredTarget:
    """Set or remove the standby of a target. Raise as `Standbys.set`, or `Conflict` STANDBY_NOT_READY if the check
    finds that the standby is incomplete."""
    if standby is not None:
        services.standbys.require(target, standby)
        missing = [each for each in services.survey(standby).findings if not each.ok]
        if missing:
            steps = "; ".join(f"{each.step}: {each.message}" for each in missing)[:600]
            raise Conflict("STANDBY_NOT_READY", f"got {standby}, of which {len(missing)} checks failed: {steps}")
    return _followed(services, services.standbys.set(target, standby, mode, caller.actor))


def evacuate(services: Services, caller: Caller, target: Target, why: str | None) -> RegisteredTarget:
    """Evacuate a target and return it. Raise the errors of `Standbys.evacuate`, or `InvalidInput` INVALID_REASON."""
    return _followed(services, services.standbys.evacuate(target, caller.actor, _reason(why)))


def come_back(
    services: Services,
    caller: Caller,
    target: Target,
    why: str | None,
    shadows: ShadowChoice | None,
    *,
    drill_only: bool,
) -> RegisteredTarget:
    """Return the devices of an evacuated target to it, and return the target. Raise the errors of `Standbys.come_back`,
    or `InvalidInput` INVALID_REASON."""
    standbys = services.standbys
    returned = standbys.come_back(target, caller.actor, _reason(why), shadows, drill_only=drill_only)
    return _followed(services, returned)


def drill(services: Services, caller: Caller, target: Target, share: float) -> RegisteredTarget:
    """Start a drill and return the target. Raise the errors of `Standbys.drill`."""
    return _followed(services, services.standbys.drill(target, share, caller.actor))


def _reason(why: str | None) -> str:
    return "" if why is None else reason_of(why)


def _followed(services: Services, registered: RegisteredTarget) -> RegisteredTarget:
    """Create the campaign for the target's last change. The record is already written, so a failure is only logged."""
    try:
        campaign = services.standbys.follow(registered)
        if campaign is not None:
            services.start_campaign(campaign)
    except (BotoCoreError, ClientError, PynamoDBException):
        logger.exception("standby campaign not started", extra={"target": str(registered.target)})
    return registered
