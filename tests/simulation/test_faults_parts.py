"""The fault layer and its matrix: each fault is what AWS's would be, and what is lost is seen to be lost."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from commissioner.lambdas.stream import StreamProcessor
from commissioner.target_gateway import registry
from lobby.aws.clients import client
from lobby.ledger.models import LedgerRow
from tests import aws
from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import Fault, FaultLayer, Killed
from tests.simulation.faults.matrix import LOST, Trials
from tests.simulation.faults.replies import VOICES
from tests.simulation.faults.stories import STORIES

CLIENT_CONFIG: dict[str, Any] = {
    "iot": ("describe_certificate", {"certificateId": "0" * 64}),
    "iot-data-plane": ("publish", {"topic": "lobby/x"}),
    "s3": ("get_object", {"Bucket": aws.BUCKET, "Key": "x"}),
    "sts": ("get_caller_identity", {}),
    "sns": ("list_topics", {}),
    "lambda": ("list_functions", {}),
    "dynamodb": ("get_item", {"TableName": LedgerRow.Meta.table_name, "Key": {"certid": {"S": "x"}}}),
}
SAYS = {Fault.THROTTLED: "throttled", Fault.FAILED: "failed", Fault.DENIED: "denied"}


def call(layer: FaultLayer, service: str, fault: Fault) -> Any:
    operation, params = CLIENT_CONFIG[service]
    made = client("iot-data" if service == "iot-data-plane" else service)
    layer.begin({1: fault})
    with layer.running("a Lambda"):
        return getattr(made, operation)(**params)


@pytest.mark.parametrize("service", CLIENT_CONFIG)
@pytest.mark.parametrize("fault", SAYS)
def test_a_refusal_is_read_by_botocore_as_the_services_own(layer: FaultLayer, service: str, fault: Fault) -> None:
    with pytest.raises(ClientError) as refused:
        call(layer, service, fault)
    code, status = getattr(VOICES[service], SAYS[fault])
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert [str(made).partition(": ")[0] for made in layer.made] == ["a Lambda"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.FAILED, Fault.TIMED_OUT])
def test_the_clients_own_retries_are_of_the_same_call_and_fail_too(layer: FaultLayer, fault: Fault) -> None:
    with pytest.raises((ClientError, ReadTimeoutError)) as failed:
        call(layer, "sts", fault)
    if isinstance(failed.value, ClientError):
        assert failed.value.response["ResponseMetadata"]["RetryAttempts"] == 3
    assert len(layer.made) == 1


def test_a_lost_answer_is_had_at_the_clients_next_attempt(layer: FaultLayer) -> None:
    assert call(layer, "sts", Fault.ANSWER_LOST)["ResponseMetadata"]["RetryAttempts"] == 1
    assert layer.struck == {1}


def test_whoever_was_killed_calls_nobody_any_more(layer: FaultLayer) -> None:
    with pytest.raises(Killed):
        call(layer, "sts", Fault.KILLED)
    layer.begin({1: Fault.KILLED})
    with layer.running("a Lambda"):
        for _ in range(2):
            with pytest.raises(Killed):
                client("sts").get_caller_identity()
    assert len(layer.made) == 1
    with layer.running("another"):
        assert client("sts").get_caller_identity()["Account"] == aws.LOBBY


def lost(layer: FaultLayer, ground: Ground, name: str, operation: str, fault: Fault) -> str:
    """What becomes of a story in which this operation fails."""
    trials = Trials(layer, ground, next(story for story in STORIES if story.name == name))
    number = next(place for place, made in enumerate(trials.calls, 1) if made.operation == operation)
    cell = trials.cell(number, fault)
    return cell.said if cell.said != LOST else f"LOST {' '.join(cell.lost)}"


def test_a_commissioner_that_swallows_what_fails_is_seen_to_lose_the_device(
    layer: FaultLayer, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamProcessor, "process", _swallow(StreamProcessor.process))
    said = lost(layer, ground, "claim of a waiting device", "AttachPolicy", Fault.THROTTLED)
    assert said.startswith("LOST ")
    assert "'devstate': {'S': 'claimed'}" in said


def _swallow(take: Any) -> Any:
    def done(desk: StreamProcessor, event: Any, seconds_left: Any) -> dict[str, Any]:
        take(desk, event, seconds_left)
        return {"batchItemFailures": []}

    return done


def test_a_step_that_cannot_be_done_twice_is_seen(
    layer: FaultLayer, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_EXISTS", "no such code")
    said = lost(layer, ground, "claim of a waiting device", "RegisterCertificateWithoutCA", Fault.KILLED)
    assert said.startswith("LOST ")
    assert "wrong: got" in said
