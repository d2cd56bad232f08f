"""Removes a lobby with several Regions, or one of its Regions: all doors are closed first, the first Region comes last.

The stack of the first Region has the tables, so it stays as long as any other one. A Region that is home is not removed
while others stay, because the lobby would have no home. Tables and replicas are retained. Every step can be repeated,
so an interrupted removal continues with the Regions that are left.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from infra import stack_names
from infra.errors import InfraError
from infra.regions.steps import replicas_of
from infra.teardown.lobby import LobbyRemoval, Report
from infra.teardown.regions import regions_with
from infra.teardown.stacks import Stack
from lobby.domain.regions.home import Vote
from lobby.ledger.models import MODELS
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region, Target, parse_region

_TABLES: Final = "AWS::DynamoDB::GlobalTable"


class RegionStays(InfraError):
    """A Region cannot be removed now: REGIONS_LEFT, REGION_IS_HOME, FIRST_REGION, WRONG_REGIONS,
    STACK_LEFT, HOME_ELSEWHERE."""


def removal_of(
    sessions: Mapping[Region, Any], account: Target, report: Report, make: Callable[..., LobbyRemoval] = LobbyRemoval
) -> "WholeRemoval":
    """Return the removal of a lobby in all its Regions. `sessions` are boto3 sessions by Region, the first one first;
    `account` is the lobby's account in the first. Raise `RegionStays` WRONG_REGIONS or FIRST_REGION."""
    first, *others = sessions
    deployed = _deployed(sessions[first])
    if deployed and deployed != set(sessions):
        raise RegionStays(
            "WRONG_REGIONS", f"got {_listed(sessions)} for a lobby in {_listed(sorted(deployed))}, want all"
        )
    for region in others:
        if Stack(sessions[region].client("cloudformation"), stack_names.LOBBY).resources(_TABLES):
            raise RegionStays("FIRST_REGION", f"got {first} as the first Region, want {region}, which has the tables")
    places = {region: Target(account.account, region) for region in sessions}
    return WholeRemoval({region: make(sessions[region], places[region], report) for region in sessions}, report)


class WholeRemoval:
    """One run. `removals` are those of the Regions, the first one first."""

    def __init__(self, removals: Mapping[Region, LobbyRemoval], report: Report) -> None:
        self._removals, self._report = removals, report

    def run(self, *, keep_devices: bool) -> None:
        """Close all doors, then remove one Region after the other. Raise `InfraError`; a repetition continues. All
        event buses are checked first: a refusal by a later Region would leave the doors of all Regions closed."""
        for removal in self._removals.values():
            removal.require_own_rules()
        for removal in self._removals.values():
            removal.stop_admissions()
        self._report(f"devices are no longer admitted in {_listed(self._removals)}")
        for number, region in enumerate(reversed(list(self._removals)), 1):
            self._report(f"Region {number} of {len(self._removals)}: {region}")
            self._removals[region].run(keep_devices=keep_devices)


def require_removable(session: Any, where: Target) -> None:
    """Raise `RegionStays` unless the lobby in `where`, with the Regions that are left, can be removed: it is the only
    one, or neither has the tables nor is home."""
    others = _deployed(session) - {where.region}
    if not others:
        return
    found = regions_with(session, [stack_names.LOBBY], sorted(others))
    left = sorted({*found.regions[stack_names.LOBBY], *found.unknown})
    has_tables = bool(Stack(session.client("cloudformation"), stack_names.LOBBY).resources(_TABLES))
    check_removable(where.region, left, home_of(session, where.region) if left else None, has_tables=has_tables)


def check_removable(region: Region, left: Sequence[str], home: Region | None, *, has_tables: bool) -> None:
    """Raise `RegionStays`. `left` are the other Regions that have a stack, or did not answer."""
    if left and has_tables:
        every = ",".join([region, *left])
        message = (
            f"got {region}, whose stack has the tables of the lobby in {', '.join(left)}, too; want --regions {every}"
        )
        raise RegionStays("REGIONS_LEFT", message)
    if left and home == region:
        message = f"got {region}, which is home; make another Region home first: lobbyctl regions promote {left[0]}"
        raise RegionStays("REGION_IS_HOME", message)


def _deployed(session: Any) -> set[Region]:
    """Return the Regions that have a replica of the ledger, the own one included; none for a lobby in one Region."""
    replicas = replicas_of(session.client("dynamodb"))
    return replicas | {parse_region(session.region_name)} if replicas else set()


def home_of(session: Any, region: Region) -> Region | None:
    """Return the home that the vote of a Region names. None: there is none, or the Region does not answer."""
    vote = Votes(lambda at: session.client("dynamodb", region_name=at)).read(region)
    return vote.home if isinstance(vote, Vote) else None


def unprotect_replicas(session: Any, report: Report) -> None:
    """Disable the protection against deletion of the tables in the Region of `session`; it protects replicas, too."""
    dynamodb = session.client("dynamodb")
    for name in sorted(str(model.Meta.table_name) for model in MODELS):
        try:
            protected = dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled")
        except dynamodb.exceptions.ResourceNotFoundException:
            continue
        if protected:
            dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            dynamodb.get_waiter("table_exists").wait(TableName=name)
            report(f"  {name} in {session.region_name} is no longer protected")


def _listed(regions: Collection[str]) -> str:
    return ",".join(regions)
