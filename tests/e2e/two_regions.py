"""A deployment of a lobby in two or three Regions, with a short lease, and the outages that the tests cause.

EventBridge runs the lease renewals at most once a minute. Here, a thread runs the renewal of each working Region every
two seconds, so that a lease can be short. Everything else is as in a deployment by `./deploy.sh local --lobbies 2`.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.api import Api, ApiRefused
from infra.local.bringup import LocalLobby, exclusive_use
from infra.local.lobby_file import LobbyFile
from infra.local.local_regions import LobbyRegions
from infra.local.powered_device import PoweredDevice
from infra.local.region_faults import RegionFaults
from infra.local.timeline import Timeline
from infra.regions.steps import HOME_LEASE
from lobby.names import Region, Target
from tests.e2e import deployment
from tests.e2e.deployment import CLAIM, DEVICE, Deployment, free_port

T = TypeVar("T")
LEASE_SECONDS: Final = 30
REPLICATION_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 240
"""Only a failing test waits that long."""
_EVERY: Final = 2.0
LOBBY: Final = """{ lobby { region home acceptsChanges code regions { name isHome answers isNeeded replicatedAt } } }"""
PROMOTE: Final = "mutation($region: String!) { promoteRegion(region: $region) { promoted waitSeconds } }"
WITHOUT: Final = "mutation($region: String!) { continueWithout(region: $region) { home acceptsChanges } }"
CHECK: Final = """
query($after: String, $of: String) {
  regionCheck(after: $after, anchorsOf: $of) {
    checked findings { certid code message } pageInfo { hasNextPage endCursor }
  }
}"""


def until(look: Callable[[], T | None], observed: Callable[[], object] = str, every: float = 0.2) -> T:
    """Return the first true value of `look`. A promotion waits for the end of a lease, so this is patient."""
    return deployment.until(look, observed, every, PATIENCE_SECONDS)


def wait_for_event(device: PoweredDevice, event: str) -> dict[str, Any]:
    """Return the first event of this name that the reference client logs."""
    return until(lambda: device.first(event), device.last_output)


class TwoRegions(Deployment):
    """The deployment. `first` is home at first, `second` a door."""

    def up(self) -> None:
        self._cleanup.enter_context(exclusive_use(self.state))
        self._cleanup.callback(self.sign_out)
        self._cleanup.callback(self._end_sessions)
        self._prepare(2)
        self.sessions: dict[tuple[Region, str], Api] = {}
        self.faults = RegionFaults(replication_seconds=REPLICATION_SECONDS)
        self._stop = threading.Event()
        self._cleanup.callback(self._stop.set)
        threading.Thread(target=self._keep, daemon=True).start()
        self.file = self.local.up()
        self.emulator.set_regions(self.faults)

    def _prepare(self, number: int) -> None:
        self.local = LocalLobby(self.state, Timeline(), regions=LobbyRegions(number, LEASE_SECONDS))
        self.layout = self.local.layout
        self._cleanup.callback(self.local.down)

    def grow(self) -> None:
        """Deploy again, with one more Region."""
        self._end_sessions()
        self.local.down()
        self._prepare(len(self.layout.places()) + 1)
        self.file = self.local.up()

    @property
    def lease_seconds(self) -> int:
        return LEASE_SECONDS

    @property
    def first(self) -> Target:
        return self.layout.places()[0]

    @property
    def second(self) -> Target:
        return self.layout.places()[1]

    @property
    def third(self) -> Target:
        return self.layout.places()[2]

    def _keep(self) -> None:
        while not self._stop.wait(_EVERY):
            for place in self.layout.places():
                if not self.faults.is_down(place.region):
                    self.keep(place)

    def keep(self, place: Target) -> str:
        """Run the lease renewal of a Region, and return its outcome."""
        try:
            response = self.client(place, "lambda").invoke(FunctionName=HOME_LEASE, Payload=b"{}")
            return str(json.loads(response["Payload"].read()).get("outcome"))
        except (BotoCoreError, ClientError, ValueError) as error:  # the next run tries it again
            return str(error)

    def set_faults(self, **faults: Any) -> None:
        self.faults = RegionFaults(**{"replication_seconds": REPLICATION_SECONDS, **faults})
        self.emulator.set_regions(self.faults)

    @contextmanager
    def down(self, place: Target) -> Iterator[None]:  # type: ignore[override]
        """Take a Region down for this block."""
        self.set_faults(down=(place.region,))
        try:
            yield
        finally:
            self.set_faults()

    def end(self) -> None:
        """Stop the deployment."""
        self._cleanup.close()

    def file_of(self, place: Target) -> LobbyFile:
        return self.file.of_region(place.region)

    def api_of(self, place: Target, role: str = "operator") -> Api:
        """Return a client of the API of a Region, signed in there with this role."""
        key = place.region, role
        if key not in self.sessions:
            file = self.file_of(place)
            self.sessions[key] = Api(file, file.operator(role))
        return self.sessions[key]

    def sign_in_everywhere(self) -> None:
        """Sign in to all Regions before one of them is lost."""
        for place in self.layout.places():
            for role in ("operator", "admin"):
                self.api_of(place, role)

    def _end_sessions(self) -> None:
        while self.sessions:
            self.sessions.popitem()[1].close()

    def device_at(self, place: Target, certid: str) -> dict[str, Any] | None:
        """Return the device as the API of a Region returns it."""
        found: dict[str, Any] | None = self.api_of(place).ask(DEVICE, id=certid)["device"]
        return found

    def wait_at(self, place: Target, certid: str, *states: str, **fields: object) -> dict[str, Any]:
        """Return the device when it is in one of `states` and has these fields, as a Region sees it."""
        last: list[Any] = [None]

        def look() -> dict[str, Any] | None:
            last[0] = device = self.device_at(place, certid)
            if device and device["devstate"] in states and all(device[key] == value for key, value in fields.items()):
                return device
            return None

        return until(look, lambda: last[0])

    def wait_until_equal(self, certid: str) -> dict[str, Any]:
        """Return the device when all Regions show the same, and its history is complete."""
        seen: list[Any] = []

        def look() -> dict[str, Any] | None:
            seen[:] = [self.device_at(place, certid) for place in self.layout.places()]
            return seen[0] if seen[0] and seen[0]["historyIntact"] and seen.count(seen[0]) == len(seen) else None

        return until(look, lambda: seen)

    def claim_at(self, place: Target, certid: str, target: Target) -> str:
        where = {"account": target.account, "region": target.region}
        return str(self.api_of(place).ask(CLAIM, id=certid, target=where)["claimDevice"]["devstate"])

    def refusal_at(self, place: Target, certid: str, target: Target) -> str | None:
        """Return the code with which a claim at a Region is refused, or None if it was accepted."""
        try:
            self.claim_at(place, certid, target)
        except ApiRefused as refused:
            return refused.code
        return None

    def lobby_at(self, place: Target) -> dict[str, Any]:
        """Return the lobby and its Regions, as a Region sees them."""
        found: dict[str, Any] = self.api_of(place).ask(LOBBY)["lobby"]
        return found

    def until_home(self, home: Target, *seen_by: Target) -> None:
        """Wait until these Regions know of this home, and it accepts changes."""
        for place in seen_by or (home,):
            until(partial(self._knows, place, home), partial(self.lobby_at, place))
        until(lambda: self.lobby_at(home)["acceptsChanges"], lambda: self.lobby_at(home))

    def _knows(self, place: Target, home: Target) -> bool:
        return bool(self.lobby_at(place)["home"] == home.region)

    def restore(self) -> None:
        """End all faults, and make the first Region home again."""
        self.set_faults()
        if self.lobby_at(self.first)["home"] != self.first.region or not self.lobby_at(self.first)["acceptsChanges"]:
            self.promote(self.first)
        self.until_home(self.first, *self.layout.places())

    def promote(self, place: Target) -> None:
        """Make a Region home, as `lobbyctl regions promote` does: repeat the request until it is."""

        def look() -> bool:
            answer = self.api_of(place, "admin").ask(PROMOTE, region=place.region)["promoteRegion"]
            return bool(answer["promoted"])

        until(look, lambda: self.lobby_at(place), every=1.0)
        self.until_home(place)

    def gaps(self, place: Target, anchors_of: str | None = None) -> list[tuple[str, str]]:
        """Return the fingerprint and the code of each finding of `lobbyctl regions check`."""
        found: list[tuple[str, str]] = []
        after: str | None = None
        while True:
            page = self.api_of(place, "admin").ask(CHECK, after=after, of=anchors_of)["regionCheck"]
            found += [(each["certid"], each["code"]) for each in page["findings"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


@contextmanager
def running(folder: Path) -> Iterator[TwoRegions]:
    """Run a lobby in two Regions, with all users signed in in both."""
    lobby = TwoRegions(folder, free_port(), free_port(), free_port())
    try:
        lobby.up()
        lobby.sign_in_everywhere()
        yield lobby
    finally:
        lobby.end()
