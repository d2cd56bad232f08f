"""The registration of a target: the accepted accounts and Regions, the ExternalId, and the setup command.

A Region without AWS IoT is rejected, because the commissioner would retry its devices endlessly. The lobby's own
account and Region are rejected, because each certificate is already registered there.
"""

import secrets
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from botocore.session import get_session

from lobby.deployment import NAMES
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.targets.target import RegisteredTarget
from lobby.errors import InvalidInput
from lobby.names import Region, Target

if TYPE_CHECKING:
    from admin_api.services import Services


@cache
def regions_with_iot() -> frozenset[str]:
    """Return the Regions of the AWS partition that have AWS IoT, from botocore's list. Makes no call."""
    return frozenset(get_session().get_available_regions("iot"))


def require_region_with_iot(region: Region) -> None:
    """Raise `InvalidInput` INVALID_REGION if the Region has no AWS IoT.

    A well-formed but nonexistent Region would look like an outage, and the commissioner would retry its devices
    endlessly."""
    if region not in regions_with_iot():
        want = "want a Region of the partition aws that has AWS IoT, such as eu-west-1"
        raise InvalidInput("INVALID_REGION", f"got {region}, {want}")


def require_outside_lobby(target: Target, services: "Services") -> None:
    """Raise `InvalidInput` INVALID_TARGET for the lobby's own account and Regions, because AWS IoT cannot register a
    certificate twice there."""
    if target.account == services.lobby_account and target.region in services.regions.all:
        raise InvalidInput(
            "INVALID_TARGET", f"got {target}, the lobby's own account and Region, want another account or Region"
        )


def new_external_id() -> str:
    """Return 128 random bits in hex, which need no quoting in a shell."""
    return secrets.token_hex(16)


def first_region(target: RegisteredTarget, registered: Sequence[RegisteredTarget]) -> Region:
    """Return the Region of the account that was registered first. The account's role belongs to its stack."""
    siblings = [other for other in registered if other.target.account == target.target.account]
    return min([*siblings, target], key=lambda other: (other.createdat, other.target.region)).target.region


def setup_command(target: RegisteredTarget, registered: Sequence[RegisteredTarget], services: "Services") -> str:
    """Return the command that the owner of the target account runs. An account has one role, which belongs to the stack
    of the Region that was `registered` first."""
    words = [
        "./deploy.sh target",
        f"--account {target.target.account}",
        f"--region {target.target.region}",
        f"--external-id {target.externalid}",
        f"--lobby-account {services.lobby_account}",
        f"--lobby-region {services.identity.region}",
    ]
    if len(services.regions.all) > 1:
        words.append(f"--lobby-regions {','.join(services.regions.all)}")
    if NAMES.id:
        words.append(f"--lobby-id {NAMES.id}")
    if target.profiles != (DEFAULT_PROFILE,):
        words.append(f"--profiles {','.join(target.profiles)}")
    if first_region(target, registered) != target.target.region:
        words.append("--without-role")
    if services.removes_left_things:
        words.append("--remove-left-things")
    return " ".join(words)
