"""Undoing a campaign, and a campaign over the failures of another one."""

import pytest

from lobby.domain.campaigns.campaign import CampaignState, Source, SourceKind, undo_request
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.states import State
from lobby.names import CampaignName
from tests.aws import Calls, Clock
from tests.functional.commissioner.campaign_lobby import NAME, TO_B, CampaignLobby
from tests.functional.lobby.ledger.bulk_claims import A, B, fingerprints, in_lobby

S, O = CampaignState, ChangeOperation  # noqa: E741
BACK = CampaignName("back")


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> CampaignLobby:
    with calls.uncounted():
        return CampaignLobby(calls, clock, 6)


def undo(lobby: CampaignLobby) -> None:
    lobby.clock.advance(seconds=1)
    request = undo_request(lobby.get())
    lobby.create(request, Source(SourceKind.CHANGED, NAME), BACK)
    lobby.run_until(S.DONE, name=BACK)


@pytest.mark.parametrize(
    "request_",
    [TO_B, ChangeRequest(O.CONFIGURE, None, "default", "new"), ChangeRequest(O.RELEASE)],
    ids=lambda each: each.operation.value,
)
def test_an_undo_returns_each_device_to_its_previous_place(lobby: CampaignLobby, request_: ChangeRequest) -> None:
    before = [lobby.device(certid) for certid in lobby.devices]
    lobby.create(request_)
    lobby.run_until(S.DONE)
    changed = [lobby.device(certid) for certid in lobby.devices]
    undo(lobby)
    for old, between, certid in zip(before, changed, lobby.devices, strict=True):
        now = lobby.device(certid)
        assert (now.target, now.profile, now.config) == (old.target, old.profile, old.config)
        assert (between.target, between.profile, between.config) != (now.target, now.profile, now.config)
        assert now.devstate is State.ARRIVED
    assert lobby.outcomes(BACK) == {"done": 6}


def test_undoing_claims_releases_the_devices_and_removes_those_that_never_connected(lobby: CampaignLobby) -> None:
    waiting, unknown = fingerprints(1, 800)[0], fingerprints(1, 801)[0]
    in_lobby(lobby.ledger, waiting)
    lobby.create_list([waiting, unknown], ChangeRequest(O.CLAIM, B, "camera"))
    lobby.run()
    lobby.settle(waiting)
    lobby.clock.advance(seconds=20)
    lobby.run()
    assert lobby.outcomes() == {"awaited": 1, "done": 1}
    lobby.cancel()
    lobby.run_until(S.CANCELLED)
    lobby.devices = [waiting]
    undo(lobby)
    assert (lobby.device(waiting).devstate, lobby.ledger.get(unknown)) == (State.INLOBBY, None)
    assert lobby.outcomes(BACK) == {"done": 2}


def test_devices_that_changed_since_are_listed_and_skipped(lobby: CampaignLobby) -> None:
    one, two = lobby.devices[:2]
    lobby.create()
    lobby.run_until(S.DONE)
    lobby.ledger.release(one, "user:bob")
    undo(lobby)
    assert lobby.outcomes(BACK) == {"done": 5, "superseded": 1}
    assert (lobby.device(one).target, lobby.device(two).target) == (None, A)
    results = {
        line.certid: result
        for page in lobby.campaigns.pages(BACK, 0, 10)
        for line, result in zip(lobby.manifests.read(BACK, page.number, page.digest), page.state.results, strict=True)
    }
    assert results[one].code == "CHANGED_MEANWHILE"


def test_only_devices_that_the_campaign_changed_are_undone(lobby: CampaignLobby) -> None:
    lobby.ledger.revoke(lobby.devices[0], "stolen", "user:bob")
    lobby.create()
    lobby.run_until(S.DONE)
    undo(lobby)
    assert (lobby.get(BACK).prepared.total, lobby.outcomes(BACK)) == (5, {"done": 5})


def test_failed_and_refused_devices_are_the_devices_of_another_campaign(lobby: CampaignLobby) -> None:
    refused = lobby.devices[5]
    lobby.create_list(lobby.devices, tolerance=1.0)
    lobby.run()
    lobby.fail(*lobby.devices[:2])
    lobby.settle(*lobby.devices[2:])
    lobby.clock.advance(seconds=20)
    lobby.run_until(S.DONE, settle=False)
    assert lobby.outcomes() == {"done": 4, "failed": 2}
    lobby.create(ChangeRequest(O.RETRY), Source(SourceKind.FAILED, NAME), CampaignName("again"))
    lobby.run_until(S.DONE, name=CampaignName("again"))
    assert lobby.outcomes(CampaignName("again")) == {"done": 2}
    assert {lobby.device(certid).target for certid in lobby.devices} == {B}
    assert lobby.device(refused).campaign == NAME
