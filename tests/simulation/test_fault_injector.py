"""The fault injector and the matrix: faults look like those of AWS, and the matrix detects lost devices."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from commissioner.lambdas.lane import MessageHandler
from commissioner.lanes.worker import LaneWorker
from commissioner.target_gateway import registry
from lobby.aws.clients import client
from lobby.ledger.models import LedgerRow
from tests import aws
from tests.simulation.faults.devices import Fleet
from tests.simulation.faults.error_responses import SERVICE_ERRORS
from tests.simulation.faults.injector import Fault, FaultInjector, Killed
from tests.simulation.faults.matrix import LOST, SURVIVED, ScenarioRunner
from tests.simulation.faults.scenarios import SCENARIOS
from tests.simulation.faults.setup import InitialState, ScenarioSetup

SAMPLE_CALLS: dict[str, Any] = {
    "iot": ("describe_certificate", {"certificateId": "0" * 64}),
    "iot-data-plane": ("publish", {"topic": "lobby/x"}),
    "s3": ("get_object", {"Bucket": aws.BUCKET, "Key": "x"}),
    "sts": ("get_caller_identity", {}),
    "sns": ("list_topics", {}),
    "lambda": ("list_functions", {}),
    "dynamodb": ("get_item", {"TableName": LedgerRow.Meta.table_name, "Key": {"certid": {"S": "x"}}}),
}
REJECTIONS = {Fault.THROTTLED: "throttled", Fault.FAILED: "failed", Fault.DENIED: "denied"}


def call(injector: FaultInjector, service: str, fault: Fault) -> Any:
    operation, params = SAMPLE_CALLS[service]
    sdk_client = client("iot-data" if service == "iot-data-plane" else service)
    injector.begin({1: fault})
    with injector.running("a Lambda"):
        return getattr(sdk_client, operation)(**params)


@pytest.mark.parametrize("service", SAMPLE_CALLS)
@pytest.mark.parametrize("fault", REJECTIONS)
def test_botocore_reads_a_rejection_as_the_services_own(injector: FaultInjector, service: str, fault: Fault) -> None:
    with pytest.raises(ClientError) as refused:
        call(injector, service, fault)
    code, status = getattr(SERVICE_ERRORS[service], REJECTIONS[fault])
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert [str(each).partition(": ")[0] for each in injector.calls] == ["a Lambda"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.FAILED, Fault.TIMED_OUT])
def test_the_clients_retries_belong_to_the_same_call_and_fail_too(injector: FaultInjector, fault: Fault) -> None:
    with pytest.raises((ClientError, ReadTimeoutError)) as failed:
        call(injector, "sts", fault)
    if isinstance(failed.value, ClientError):
        assert failed.value.response["ResponseMetadata"]["RetryAttempts"] == 3
    assert len(injector.calls) == 1


def test_a_lost_response_arrives_at_the_clients_next_attempt(injector: FaultInjector) -> None:
    assert call(injector, "sts", Fault.ANSWER_LOST)["ResponseMetadata"]["RetryAttempts"] == 1
    assert injector.injected == {1}


def test_a_killed_process_makes_no_calls(injector: FaultInjector) -> None:
    with pytest.raises(Killed):
        call(injector, "sts", Fault.KILLED)
    injector.begin({1: Fault.KILLED})
    with injector.running("a Lambda"):
        for _ in range(2):
            with pytest.raises(Killed):
                client("sts").get_caller_identity()
    assert len(injector.calls) == 1
    with injector.running("another"):
        assert client("sts").get_caller_identity()["Account"] == aws.LOBBY


def runner_of(injector: FaultInjector, setup: ScenarioSetup, name: str) -> ScenarioRunner:
    return ScenarioRunner(injector, setup, next(scenario for scenario in SCENARIOS if scenario.name == name))


def test_calls_that_are_made_directly_are_recorded_as_over_http(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = runner_of(injector, setup, "claim of a waiting device").calls
    monkeypatch.setattr(FaultInjector, "has_nothing_for", lambda *_: False)
    assert direct == runner_of(injector, setup, "claim of a waiting device").calls
    assert "TransactWriteItems" in {call.operation for call in direct}


@pytest.mark.parametrize(("fault", "paces"), [(Fault.ANSWER_LOST, [False]), (Fault.KILLED, [False, True])])
def test_late_retries_are_tried_only_if_something_is_retried(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch, fault: Fault, paces: list[bool]
) -> None:
    runner, tried, at = runner_of(injector, setup, "hello while waiting"), list[bool](), setup.at

    def observed(initial_state: InitialState, *, slow: bool) -> Fleet:
        tried.append(slow)
        return at(initial_state, slow=slow)

    monkeypatch.setattr(setup, "at", observed)
    assert runner.cell(1, fault).result == SURVIVED
    assert tried == paces


def result_of(injector: FaultInjector, setup: ScenarioSetup, name: str, operation: str, fault: Fault) -> str:
    """Return the result of a scenario in which this operation fails."""
    runner = runner_of(injector, setup, name)
    number = next(index for index, made in enumerate(runner.calls, 1) if made.operation == operation)
    cell = runner.cell(number, fault)
    return cell.result if cell.result != LOST else f"LOST {' '.join(cell.lost)}"


def test_a_commissioner_that_ignores_failures_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LaneWorker, "_try_later", lambda *_: None)
    monkeypatch.setattr(MessageHandler, "process", _ignore_failures(MessageHandler.process))
    result = result_of(injector, setup, "claim of a waiting device", "AttachPolicy", Fault.THROTTLED)
    assert result.startswith("LOST ")
    assert "'devstate': {'S': 'claimed'}" in result


def _ignore_failures(process: Any) -> Any:
    def always_done(handler: MessageHandler, event: Any) -> dict[str, Any]:
        process(handler, event)
        return {"batchItemFailures": []}

    return always_done


def test_a_step_that_is_not_idempotent_is_detected(
    injector: FaultInjector, setup: ScenarioSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_EXISTS", "no such code")
    result = result_of(injector, setup, "claim of a waiting device", "RegisterCertificateWithoutCA", Fault.KILLED)
    assert result.startswith("LOST ")
    assert "TARGET_UNREACHABLE" in result
