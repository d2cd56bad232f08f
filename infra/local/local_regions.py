"""The further Regions of the local deployment of a lobby with several (`./deploy.sh local --lobbies 2`).

The steps are the same as in `./deploy.sh aws --regions`: the first Region's stack creates the tables and their
replicas, then each other Region gets its stack, with the streams of its replicas. The lease renewal of the first Region
makes it home.
"""

from dataclasses import dataclass
from typing import Final

from infra.local.emulator import LocalSession
from infra.local.errors import DeployFailed
from infra.local.layout import Layout
from infra.local.lobby_file import LocalRegion
from infra.regions import steps as region_steps
from lobby.names import Target


@dataclass(frozen=True)
class LobbyRegions:
    """`number` is the number of the lobby's Regions (None: as stored in the state, or one). `lease_seconds` is the
    length of the lease of the home Region (None: as in AWS)."""

    number: int | None = None
    lease_seconds: int | None = None


STORED: Final = LobbyRegions()


def context(layout: Layout, lease_seconds: int | None) -> dict[str, str]:
    """Return the settings that all stacks of a lobby with several Regions share; nothing with one."""
    if not layout.other_regions:
        return {}
    lease = {"leaseSeconds": str(lease_seconds)} if lease_seconds else {}
    return {"regions": ",".join(place.region for place in layout.places()), **lease}


def entry(layout: Layout, place: Target, outputs: dict[str, str]) -> LocalRegion:
    """Return what `lobby.json` states about a Region."""
    return LocalRegion(
        region=place.region,
        graphql_url=f"{layout.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/$default/graphql",
        lobby_endpoint=layout.endpoint_address(place),
        user_pool_id=outputs["UserPoolId"],
        user_pool_client_id=outputs["UserPoolClientId"],
    )


def begin_home(session: LocalSession) -> None:
    """Make the first Region home, if none is. Raise `DeployFailed` NO_HOME."""
    try:
        region_steps.begin_home(session.client("lambda"))
    except region_steps.RegionNotReady as error:
        raise DeployFailed(error.code, error.message) from None
