"""A lobby with two targets, one of which is the other's standby. `deliver` serves the lanes, as in
`lobby_with_targets`."""

from typing import Any

from botocore.exceptions import EndpointConnectionError

from lobby.domain.changes import Chosen
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.standby.standby_changes import Evacuate, Prepare, Return
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.lists.counts import read_counts
from lobby.ledger.standby.standbys import Standbys, counts_of
from lobby.names import Fingerprint, Target
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import ANN, ONE, A, B, LobbyWithTargets

ACTIVE, INACTIVE = StandbyMode.ACTIVE, StandbyMode.INACTIVE


class StandbyLobby(LobbyWithTargets):
    """`A` has the standby `B`."""

    def __init__(self, calls: Calls, clock: Clock, mode: StandbyMode = ACTIVE) -> None:
        super().__init__(calls, clock)
        with calls.uncounted():
            self.standbys = Standbys(self.targets, Campaigns(clock), 1000, clock)
            self.standbys.set(A, B, mode, ANN)
        self.server = self.new_server()

    def start_placed(self, *certids: Fingerprint) -> None:
        """Place new devices in A, without the snapshot of a lobby that has no standby."""
        for certid in certids or (ONE,):
            self.place(certid)

    def evacuate(self) -> Any:
        with self.calls.uncounted():
            registered = self.standbys.evacuate(A, ANN, "Region down")
        return self.change(Evacuate(registered, "Region down"))

    def come_back(self) -> Any:
        with self.calls.uncounted():
            return self.change(Return(self.standbys.come_back(A, ANN), "Region up"))

    def prepare(self) -> Any:
        with self.calls.uncounted():
            return self.change(Prepare(self.targets.get(A)))

    def change(self, change: Any) -> Any:
        with self.calls.uncounted():
            row = self.ledger.change(Chosen(ONE), change, "campaign:tests")
        assert row is not None
        return self.record() if row.needs_commissioner else None

    def arrive(self) -> None:
        with self.calls.uncounted():
            self.ledger.arrive(self.device(), "service:arrivals")

    def counts(self) -> tuple[int, int, int, int]:
        with self.calls.uncounted():
            found = counts_of(A, read_counts())
        return found.placed, found.prepared, found.away, found.left


def cut_off(lobby: StandbyLobby, target: Target) -> None:
    """Let nothing in an account answer, neither its role nor its AWS IoT, to a commissioner that has just started."""

    def assume(parameters: dict[str, Any], call: Any) -> Any:
        if target.account in parameters["RoleArn"]:
            raise EndpointConnectionError(endpoint_url="https://sts.example")
        return call()

    lobby.calls.instead["AssumeRole"] = assume
    lobby.server = lobby.new_server()
