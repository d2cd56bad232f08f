"""The feeder's Lambda: tokens that are handed over, hidden, deleted or malformed, and tokens that the sweeper sends."""

from typing import Any, cast

import pytest

from commissioner.campaigns.watch import CampaignWatch
from commissioner.lambdas.campaigns import CampaignMessages, Queue, _messages, handler
from lobby.contracts.campaign_tokens import decode_token, token_message
from lobby.domain.campaigns.campaign import CampaignState
from lobby.errors import InvalidInput
from lobby.names import CampaignName
from tests.aws import Calls, Clock
from tests.functional.commissioner.campaign_lobby import NAME, CampaignLobby
from tests.functional.commissioner.lane_environment import RecordingQueue


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> CampaignLobby:
    with calls.uncounted():
        return CampaignLobby(calls, clock, 2)


def event(body: str) -> dict[str, Any]:
    return {"Records": [{"messageId": "1", "receiptHandle": "receipt", "body": body}]}


def token(name: CampaignName = NAME) -> str:
    return str(token_message(name, "1")["MessageBody"])


def test_a_token_stays_hidden_while_its_campaign_waits_and_is_deleted_at_its_end(lobby: CampaignLobby) -> None:
    queue = RecordingQueue()
    messages = CampaignMessages(lobby.new_feeder(), Queue(cast(Any, queue), "url"))
    lobby.create()
    assert handler(event(token()), None, messages) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert queue.hidden[-1] == 3
    lobby.run_until(CampaignState.DONE)
    assert handler(event(token()), None, messages) == {"batchItemFailures": []}
    assert queue.sent == []


def test_a_run_whose_time_is_up_sends_a_fresh_token(lobby: CampaignLobby) -> None:
    queue = RecordingQueue()
    feeder = lobby.new_feeder()
    messages = CampaignMessages(feeder, Queue(cast(Any, queue), "url"))
    lobby.create()
    times = iter([lobby.clock()])
    lobby.clock.advance(seconds=60)
    feeder.clock = lambda: next(times, lobby.clock())
    assert handler(event(token()), None, messages) == {"batchItemFailures": []}
    [sent] = queue.sent
    assert (decode_token(sent["MessageBody"]), sent["MessageGroupId"]) == (NAME, NAME)


@pytest.mark.parametrize("body", ["", "x", "[]", "{}", '{"campaign": 1}', '{"campaign": "Not a name"}', "null"])
def test_a_malformed_token_is_deleted_and_changes_nothing(lobby: CampaignLobby, body: str) -> None:
    messages = CampaignMessages(lobby.new_feeder(), Queue(cast(Any, RecordingQueue()), "url"))
    assert handler(event(body), None, messages) == {"batchItemFailures": []}
    with pytest.raises(InvalidInput, match="INVALID_TOKEN"):
        decode_token(body)


def test_the_token_of_a_failed_run_is_delivered_again(lobby: CampaignLobby, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = CampaignMessages(lobby.new_feeder(), Queue(cast(Any, RecordingQueue()), "url"))
    monkeypatch.setattr(lobby.campaigns, "find", lambda _name: 1 / 0)
    assert handler(event(token()), None, messages) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_the_lambda_is_made_from_its_environment(lobby: CampaignLobby) -> None:
    lobby.create()
    made = _messages()
    made.handle(NAME, lobby.hidden.append)
    assert lobby.get().prepared.total == 2
    assert lobby.moved() == 2


def test_the_sweeper_starts_a_campaign_without_a_feeder(lobby: CampaignLobby) -> None:
    queue = RecordingQueue()
    watch = CampaignWatch(lobby.campaigns, cast(Any, queue), "url", lobby.clock)
    lobby.create()
    assert watch.check(lambda: False).numbers() == {"CampaignsStarted": 0, "CampaignsStuck": 0}
    lobby.clock.advance(minutes=2)
    assert watch.check(lambda: False).numbers() == {"CampaignsStarted": 1, "CampaignsStuck": 0}
    assert [decode_token(each["MessageBody"]) for each in queue.sent] == [NAME]
    lobby.clock.advance(minutes=13)
    assert watch.check(lambda: False).numbers() == {"CampaignsStarted": 1, "CampaignsStuck": 1}
    lobby.run()
    assert watch.check(lambda: False).numbers() == {"CampaignsStarted": 0, "CampaignsStuck": 0}
    lobby.run_until(CampaignState.DONE)
    lobby.run()
    lobby.clock.advance(hours=1)
    assert watch.check(lambda: False).numbers() == {"CampaignsStarted": 0, "CampaignsStuck": 0}
