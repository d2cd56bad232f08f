"""A campaign that asks devices to renew their certificates, and follows them until they have renewed."""

import pytest

from lobby.domain.campaigns.campaign import undo_request
from lobby.domain.campaigns.campaign_manifest import change_for_page
from lobby.domain.campaigns.campaign_progress import Outcome
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.states import Event
from lobby.errors import Conflict, InvalidInput
from lobby.names import Fingerprint
from tests.functional.commissioner.campaign_lobby import NAME, CampaignLobby, S, campaign_fixture
from tests.functional.lobby.ledger.bulk_claims import B, fingerprints, is_valid

RENEW = ChangeRequest(ChangeOperation.RENEW)
lobby = campaign_fixture(4)


def can_renew(lobby: CampaignLobby, *certids: Fingerprint) -> None:
    for certid in certids:
        assert lobby.ledger.record_heartbeat(lobby.device(certid), "2.0", can_renew=True)


def asked(lobby: CampaignLobby, *certids: Fingerprint) -> None:
    """Simulate the commissioner, which asks the devices."""
    for certid in certids:
        lobby.ledger.retire_certificates(lobby.device(certid), (), "service:commissioner")


def renewed(lobby: CampaignLobby, certid: Fingerprint, new: Fingerprint) -> None:
    signed = lobby.ledger.renew(lobby.device(certid), new, "PEM", "2049-12-31", "service:renewer")
    lobby.ledger.commission(signed, "a.example", "service:commissioner")
    lobby.ledger.arrive(lobby.device(certid), "service:arrivals", new)


def look(lobby: CampaignLobby) -> dict[str, int]:
    lobby.clock.advance(seconds=16)
    lobby.run()
    return {name: count for name, count in lobby.outcomes().items() if count}


def test_each_device_is_followed_until_it_has_renewed(lobby: CampaignLobby) -> None:
    one, two, three, four = lobby.devices
    new = fingerprints(2, 900)
    can_renew(lobby, one, two, three)
    lobby.create_list(lobby.devices, RENEW)
    lobby.run()
    assert lobby.outcomes() == {"waiting": 3, "refused": 1}
    assert lobby.campaigns.pages(NAME, 0, 1)[0].state.results[3].code == "CANNOT_RENEW"
    asked(lobby, one, two, three)
    assert look(lobby) == {"awaited": 3, "refused": 1}
    renewed(lobby, one, new[0])
    assert look(lobby) == {"awaited": 2, "done": 1, "refused": 1}
    signed = lobby.ledger.renew(lobby.device(two), new[1], "PEM", "2049-12-31", "service:renewer")
    assert look(lobby) == {"awaited": 2, "done": 1, "refused": 1}
    lobby.ledger.fail(signed, "TARGET_LIMIT", "too many", "service:commissioner")
    assert look(lobby) == {"awaited": 1, "done": 1, "failed": 1, "refused": 1}
    lobby.ledger.release(three, "user:bob")
    assert look(lobby) == {"done": 1, "failed": 1, "refused": 1, "superseded": 1}
    actors = [each.actor for each in lobby.ledger.history(one) if each.event is Event.DUE]
    assert actors == [f"campaign:{NAME}", "service:commissioner"]
    assert all(is_valid(lobby.ledger, certid) for certid in lobby.devices)
    assert lobby.device(four).campaign is None


def test_a_device_that_has_renewed_just_now_is_unchanged(lobby: CampaignLobby) -> None:
    one, *_ = lobby.devices
    can_renew(lobby, one)
    lobby.ledger.due(lobby.device(one), "2027-12-22T12:00:00.000Z", "service:reconciler")
    renewed(lobby, one, fingerprints(1, 900)[0])
    lobby.create_list([one], RENEW)
    assert lobby.run_until(S.DONE).progress.outcomes == {Outcome.UNCHANGED: 1}


def test_a_repeated_page_does_not_ask_a_waiting_device_again(lobby: CampaignLobby) -> None:
    """The first feeder was killed after it had changed the device, and before it recorded that."""
    one, *_ = lobby.devices
    can_renew(lobby, one)
    lobby.create_list([one], RENEW)
    lines = lobby.manifests.read(NAME, 0, lobby.campaigns.pages(NAME, 0, 1)[0].digest)
    change = change_for_page(lobby.get(), lines, lobby.targets)
    lobby.ledger.change_many([each.chosen for each in lines], change, lobby.get().actor, lambda: False)
    lobby.run()
    assert [each.event for each in lobby.ledger.history(one)].count(Event.DUE) == 1
    assert lobby.outcomes() == {"waiting": 1}


def test_a_renewal_has_no_arguments_and_cannot_be_undone(lobby: CampaignLobby) -> None:
    with pytest.raises(InvalidInput, match="INVALID_CHANGE"):
        ChangeRequest(ChangeOperation.RENEW, B).validated()
    can_renew(lobby, lobby.devices[0])
    lobby.create_list(lobby.devices[:1], RENEW)
    lobby.run()
    with pytest.raises(Conflict, match="NOT_UNDOABLE"):
        undo_request(lobby.get())
