"""The feeder stops the campaign of a user who was blocked, before the next page, and not again when another user has
resumed it.
"""

import pytest

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import CampaignEvent, CampaignState
from lobby.ledger.users.user_blocks import UserBlocks, blocked_among
from tests.aws import Calls, Clock
from tests.functional.commissioner.campaign_lobby import NAME, CampaignLobby
from tests.functional.lobby.ledger.bulk_claims import ANN

S = CampaignState


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> CampaignLobby:
    with calls.uncounted():
        return CampaignLobby(calls, clock, 6)


def block(name: str, *, blocked: bool = True) -> None:
    UserBlocks(lambda: 0.0).set_blocked(name, "user:admin", blocked=blocked)


def test_only_users_who_are_blocked_now_are_blocked(lobby: CampaignLobby) -> None:
    assert lobby.devices
    block("eve")
    block("bob")
    block("bob", blocked=False)
    assert blocked_among(["user:eve", "user:bob", ANN, "service:campaigns", "eve"]) == {"user:eve"}


def test_a_campaign_of_a_blocked_user_stops_before_its_next_page(lobby: CampaignLobby) -> None:
    lobby.create()
    block(ANN.removeprefix("user:"))
    stopped = lobby.run_until(S.STOPPED)
    assert (stopped.why, stopped.progress.fed, lobby.outcomes()) == ("USER_BLOCKED", 0, {})
    last = lobby.campaigns.history(NAME)[-1]
    assert (last.event, last.detail) == (CampaignEvent.STOPPED, "USER_BLOCKED")
    lobby.campaigns.change(
        NAME, CampaignEvent.RESUMED, "user:bob", lambda each, _at: transitions.resumed(each, "user:bob", [ANN])
    )
    done = lobby.run_until(S.DONE)
    assert (done.taken_over_by, lobby.outcomes()) == ("user:bob", {"done": 6})


def test_a_campaign_that_a_blocked_user_has_approved_stops(calls: Calls, clock: Clock) -> None:
    lobby = CampaignLobby(calls, clock, 6, above=1)
    lobby.create()
    lobby.run_until(S.APPROVAL)
    lobby.change(CampaignEvent.APPROVED, lambda each, at: transitions.approved(each, "user:eve", at))
    block("eve")
    assert lobby.run_until(S.STOPPED).why == "USER_BLOCKED"
