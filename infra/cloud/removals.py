"""What `destroy` removes, and which Region a deployment of a lobby with several Regions removes permanently.

A Region is removed in two commands: `destroy aws --region REGION` removes its stack, and `aws --remove-region REGION`
deletes the replicas, with CloudFormation. Rejects the second one while the Region has a stack, or while the first
Region is not home: with fewer Regions, fewer votes are needed to become home, so no other Region may hold the lease.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from infra import stack_names
from infra.cloud.account import Caller, caller
from infra.teardown.lobby import LobbyRemoval, Report
from infra.teardown.lobby_regions import (
    RegionStays,
    WholeRemoval,
    home_of,
    removal_of,
    require_removable,
    unprotect_replicas,
)
from infra.teardown.stacks import Stack
from infra.teardown.target import TargetRemoval
from lobby.names import Region, Target, parse_region

Removal = LobbyRemoval | TargetRemoval | WholeRemoval


def removal(what: str, profile: str | None, first: Caller, regions: Sequence[Region], report: Report) -> Removal:
    """Return the removal of a target, of a lobby or one of its Regions, or of a lobby in all its `regions`. Raise
    `RegionStays`."""
    here = Target(first.account, first.region)
    if what == "target":
        return TargetRemoval(first.session, here, report)
    if regions:
        others = {each: caller(profile, each).session for each in regions[1:]}
        return removal_of({first.region: first.session} | others, here, report, LobbyRemoval)
    require_removable(first.session, here)
    return LobbyRemoval(first.session, here, report)


@dataclass(frozen=True)
class Removed:
    """The Region whose replicas a deployment deletes; none if `caller` is None."""

    caller: Caller | None

    @classmethod
    def of(cls, profile: str | None, option: str | None) -> "Removed":
        """Return the Region that the option names. Raise `InvalidInput` INVALID_REGION."""
        return cls(caller(profile, parse_region(option)) if option else None)

    @property
    def region(self) -> Region | None:
        return self.caller.region if self.caller else None

    def require_released(self, first: Caller, report: Report) -> None:
        """Raise `RegionStays` STACK_LEFT or HOME_ELSEWHERE if the replicas are still in use."""
        if self.caller is None:
            return
        region = self.caller.region
        if Stack(self.caller.session.client("cloudformation"), stack_names.LOBBY).status() is not None:
            message = f"got {region}, which has the stack {stack_names.LOBBY}; first: destroy aws --region {region}"
            raise RegionStays("STACK_LEFT", message)
        home = home_of(first.session, first.region)
        if home != first.region:
            message = f"got {home or 'no answer'} as home, want {first.region}: lobbyctl regions promote {first.region}"
            raise RegionStays("HOME_ELSEWHERE", message)
        report(f"The replicas of the lobby's tables in {region} are DELETED.")

    def unprotect(self, report: Report) -> None:
        """Let CloudFormation delete the replicas."""
        if self.caller is not None:
            unprotect_replicas(self.caller.session, report)
