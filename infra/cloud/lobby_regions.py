"""Deploys a lobby in several Regions to AWS: the first Region's stack with the replicas, then the other stacks.

CloudFormation adds at most one replica to a table in an update, so each new Region of an existing lobby is an update of
the first Region's stack. It cannot create a replica with a resource policy, so another update adds the policy. An
interrupted deployment continues from the existing replicas. Rejects a deployment that would remove a replica, without
the option or without one of the Regions, unless --remove-region names it: a copy of the ledger is deleted. One Region
is removed in a deployment, and none added.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, Final

from infra.cloud.account import Caller
from infra.errors import InfraError
from infra.regions.steps import begin_home, replicas_of, streams_of
from infra.setting_values import MOST_REGIONS
from lobby.deployment import NAMES
from lobby.names import AccountId, Region, parse_region

CONTEXT: Final = "regions"
NEW: Final = "newRegions"
Deploy = Callable[[Caller, dict[str, str]], None]
"""Deploys the lobby's stack in the Region of the caller, with the Region's own context."""


class WrongRegions(InfraError):
    """The Regions do not match the deployed Regions, or exceed the limit: WRONG_REGIONS, REGIONS_MISSING,
    REGION_REMOVED, FIRST_REGION."""


def parse_regions(text: str | None) -> tuple[Region, ...]:
    """Return the Regions of the option `--regions`; none for one Region. Raise `InvalidInput` INVALID_REGION, or
    `WrongRegions`."""
    regions = tuple(parse_region(each.strip()) for each in text.split(",")) if text else ()
    if len(set(regions)) != len(regions) or len(regions) > MOST_REGIONS:
        raise WrongRegions("WRONG_REGIONS", f"got {text}, want at most {MOST_REGIONS} Regions, each once")
    return regions if len(regions) > 1 else ()


def require_first(region: Region, regions: Sequence[Region]) -> None:
    """Raise `WrongRegions` FIRST_REGION unless the deployment is in the first of the Regions."""
    if regions and region != regions[0]:
        raise WrongRegions("FIRST_REGION", f"got {regions[0]} as the first Region and {region} as --region, want one")


def context_of(regions: Sequence[Region]) -> dict[str, str]:
    return {CONTEXT: ",".join(regions)} if len(regions) > 1 else {}


def steps(session: Any, regions: Sequence[Region], removed: Region | None = None) -> list[tuple[Region, ...]]:
    """Return the Regions of each deployment of the first Region's stack, one after the other. The first set is the
    deployed Regions: none if there is no table yet. `removed`: the Region whose replicas are deleted; if it has none,
    nothing is removed. Raise `WrongRegions`."""
    replicas = replicas_of(session.client("dynamodb"))
    if replicas is None:
        return [(), tuple(regions)]
    deployed = replicas - {session.region_name}
    if removed in deployed:
        return _without(deployed, regions, session.region_name, removed)
    return _steps(deployed, regions, session.region_name)


def _without(
    deployed: AbstractSet[str], regions: Sequence[Region], first: str, removed: Region
) -> list[tuple[Region, ...]]:
    wanted = [first, *sorted(deployed - {removed})]
    if sorted(regions or (first,)) != sorted(wanted):
        message = f"got {','.join(regions) or 'one Region'}, want --regions {','.join(wanted)} without {removed}"
        raise WrongRegions("WRONG_REGIONS", message)
    return [(*(regions or (parse_region(first),)), removed), tuple(regions)]


def _steps(deployed: AbstractSet[str], regions: Sequence[Region], first: str) -> list[tuple[Region, ...]]:
    listed = ",".join([first, *sorted(deployed)])
    if deployed and not regions:
        raise WrongRegions("REGIONS_MISSING", f"got no --regions for a lobby in {listed}, want --regions {listed}")
    if gone := deployed - set(regions):
        raise WrongRegions(
            "REGION_REMOVED",
            f"got {','.join(regions)} for a lobby in {listed}, want {', '.join(sorted(gone))}, too:"
            " a deployment removes no Region (docs/regions.md)",
        )
    present = {first, *deployed}
    found = [tuple(each for each in regions if each in present)]
    for region in regions:
        if region not in present:
            present.add(region)
            found.append(tuple(each for each in regions if each in present))
    return found


def updates(indexes: Sequence[dict[str, str]], regions: Sequence[Sequence[Region]]) -> list[tuple[str, dict[str, str]]]:
    """Return the deployments of the first Region's stack before the last one, each with its reason and context: one for
    each change of an index, with the deployed Regions, then those that add Regions. `regions` are the steps: they start
    with the deployed Regions and end with those of the last deployment."""
    current = context_of(regions[0])
    return [
        *(("The ledger's indexes change one by one", {**current, **step}) for step in indexes),
        *_additions(regions),
    ]


def _additions(steps: Sequence[Sequence[Region]]) -> list[tuple[str, dict[str, str]]]:
    """Return an update for each step that adds replicas, all without the policy of the history there. The next update
    adds the policy. The first replica is preceded by an update without one: the tables of an earlier version have no
    streams, or their history denies the replication, and then no replica can be added."""
    found = []
    for before, after in pairwise(steps):
        new = [each for each in after[1:] if each not in before]
        if new:
            found.append((f"Replicas are added in {', '.join(new)}", context_of(after) | {NEW: ",".join(new)}))
    return [("The tables are prepared for replicas", {}), *found] if found and len(steps[0]) == 1 else found


def deploy_others(others: Sequence[Caller], context: dict[str, Any], deploy: Deploy) -> None:
    """Deploy the stack of each other Region. `context` is the first Region's context."""
    for other in others:
        own = {"lobby": f"{other.account}/{other.region}"} | streams_of(other.session.client("dynamodb"))
        deploy(other, {**context, **own})


def next_steps(
    account: AccountId, profile: str | None, earlier: Sequence[Sequence[Region]], regions: Sequence[Region]
) -> list[str]:
    """Return what the operator does after a deployment of the lobby in `regions`. `earlier` starts with the Regions
    that were deployed before: none for a new lobby. The notary of a new Region anchors only new entries."""
    credentials = f"AWS_PROFILE={profile} " if profile else ""
    return [
        *(
            f"The notary in {each} has no anchors of earlier history entries, so a verification would report them after"
            f" a promotion. Anchor them once:\n{credentials}AWS_REGION={each} python -m lobby.ledger.anchoring"
            f" {NAMES.notary_bucket(account, each)}"
            for each in regions
            if earlier and earlier[0] and each not in earlier[0]
        ),
        "Next: register a manufacturer's CA (lobby-pki register), sign in, and register a target."
        "\nAdmins see its setup command (registerTarget, targets).",
    ]


def begin(first: Caller) -> None:
    """Make the first Region home if none is. Raise `RegionNotReady`."""
    begin_home(first.session.client("lambda"))
