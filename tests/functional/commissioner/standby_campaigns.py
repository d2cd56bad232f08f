"""Runs the campaigns of a standby to their end. The lanes of both targets are simulated."""

from lobby.domain.campaigns.campaign import Campaign
from lobby.domain.device import Device
from lobby.domain.standby.standby import StandbyMode, StandbyStatus
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.ledger.lists.counts import read_counts
from lobby.ledger.standby.standbys import StandbyCounts, Standbys, counts_of
from lobby.names import Target
from tests.functional.commissioner.campaign_lobby import US, CampaignLobby, S
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B

ACTIVE, INACTIVE = StandbyMode.ACTIVE, StandbyMode.INACTIVE


def standbys(lobby: CampaignLobby, above: int = 1000) -> Standbys:
    return Standbys(lobby.targets, lobby.campaigns, above, lobby.clock)


def settle(lobby: CampaignLobby, *, arrive: bool = True) -> None:
    """Play the lanes of both targets, and let the devices arrive."""
    for certid in lobby.devices:
        device = lobby.device(certid)
        if device.devstate is State.CLAIMED:
            endpoint = "b.example" if device.target == B else "a.example"
            device = lobby.ledger.commission(device, endpoint, US, standby_of(lobby, device))
        if device.works_in_standby and device.standby is not None:
            mode = lobby.targets.get(A).standby_mode
            status = device.standby.status if device.standby.home else StandbyStatus(mode.value)
            device = lobby.ledger.prepared(device, device.standby.target, status, US, "b.example")
        for left in device.targets_to_clear:
            device = lobby.ledger.retire(device, left, US)
        if arrive and device.devstate is State.COMMISSIONED:
            lobby.ledger.arrive(device, US)


def standby_of(lobby: CampaignLobby, device: Device) -> Target | None:
    return None if device.target is None else lobby.targets.get(device.target).standby


def work(lobby: CampaignLobby, registered: RegisteredTarget) -> Campaign:
    """Create the campaign of a target's last work, and run it to its end."""
    campaign = standbys(lobby).follow(registered)
    assert campaign is not None
    for _ in range(100):
        lobby.run(campaign.name)
        found = lobby.campaigns.get(campaign.name)
        if found.state is S.DONE:
            return found
        settle(lobby)
        lobby.clock.advance(seconds=16)
    raise AssertionError(f"got {found}")


def prepared(lobby: CampaignLobby, mode: StandbyMode = ACTIVE) -> CampaignLobby:
    work(lobby, standbys(lobby).set(A, B, mode, ANN))
    lobby.clock.advance(seconds=1)
    return lobby


def counts(_lobby: CampaignLobby) -> StandbyCounts:
    return counts_of(A, read_counts())
