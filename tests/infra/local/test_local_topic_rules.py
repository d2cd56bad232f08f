"""The Lambda action of topic rules: permissions, failures, and the limit of concurrent invocations."""

import contextvars
import threading
import zipfile
from io import BytesIO
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack import topic_rules
from infra.local.ministack.topic_rules import MAX_CONCURRENT, limit_concurrency
from tests.infra.local.emulated_cloud import Device, Identity, aws, queue, received, register, until


class Function:
    """A function that runs until `finish` and counts its concurrent invocations."""

    def __init__(self) -> None:
        self.running = self.most = self.done = 0
        self._counting = threading.Condition()
        self._finished = threading.Event()

    def __call__(self, _func: Any, _event: Any) -> str:
        with self._counting:
            self.running += 1
            self.most = max(self.most, self.running)
            self._counting.notify_all()
        self._finished.wait(30)
        with self._counting:
            self.running -= 1
            self.done += 1
        return "response"

    def wait_for(self, running: int) -> None:
        with self._counting:
            assert self._counting.wait_for(lambda: self.running >= running, 30)

    def finish(self) -> None:
        self._finished.set()


def _start(execute: Any, name: str, count: int, by_rule: bool) -> list[threading.Thread]:
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, by_rule)
    config = {"config": {"FunctionArn": f"arn:aws:lambda:us-east-1:100000000001:function:{name}"}}
    threads = [threading.Thread(target=context.copy().run, args=(execute, config, {})) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_invocations_by_rules_are_limited_and_all_run() -> None:
    function = Function()
    threads = _start(limit_concurrency(function), "bouncer", 20, by_rule=True)
    function.wait_for(MAX_CONCURRENT)
    assert function.most == MAX_CONCURRENT
    function.finish()
    _join(threads)
    assert (function.most, function.done) == (MAX_CONCURRENT, 20)


def test_a_busy_function_delays_no_other_function_and_no_direct_invocation() -> None:
    function = Function()
    execute = limit_concurrency(function)
    threads = _start(execute, "bouncer", MAX_CONCURRENT + 5, by_rule=True)
    function.wait_for(MAX_CONCURRENT)
    threads += _start(execute, "receptionist", 1, by_rule=True)
    function.wait_for(MAX_CONCURRENT + 1)
    threads += _start(execute, "bouncer", 3, by_rule=False)
    function.wait_for(MAX_CONCURRENT + 4)
    function.finish()
    _join(threads)


def test_a_failed_invocation_frees_its_slot() -> None:
    def fail(_func: Any, _event: Any) -> None:
        raise RuntimeError("always")

    execute = limit_concurrency(fail)
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, True)
    for _ in range(MAX_CONCURRENT + 2):
        with pytest.raises(RuntimeError, match="always"):
            context.run(execute, {"FunctionArn": "x"}, {})


def test_a_nested_invocation_uses_the_slot_of_the_outer_one() -> None:
    execute: Any = None

    def scoped(func: Any, event: Any) -> Any:
        return execute(func, event + 1) if event < MAX_CONCURRENT + 2 else event

    execute = limit_concurrency(scoped)
    context = contextvars.copy_context()
    context.run(topic_rules._queued.set, True)
    assert context.run(execute, {"FunctionArn": "x"}, 0) == MAX_CONCURRENT + 2


def _zip(body: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.py", body)
    return out.getvalue()


def _failing_function(emulator: Emulator, name: str, queue_arn: str) -> str:
    role = aws(emulator, 0, "iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = aws(emulator, 0, "lambda")
    arn = functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": _zip("def handler(event, context):\n    raise RuntimeError('always')\n")},
    )["FunctionArn"]
    functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue_arn}}
    )
    return str(arn)


def test_a_rule_needs_a_permission_and_failures_reach_the_destination(emulator: Emulator) -> None:
    failed_url, failed_arn = queue(emulator, "failed")
    refused_url, _ = queue(emulator, "refused")
    function = _failing_function(emulator, "always-fails", failed_arn)
    aws(emulator, 0, "iot").create_topic_rule(
        ruleName="report",
        topicRulePayload={
            "sql": "SELECT clientid() AS who FROM 'report'",
            "actions": [{"lambda": {"functionArn": function}}],
            "errorAction": {"sqs": {"queueUrl": refused_url, "roleArn": "arn:aws:iam::100000000001:role/x"}},
        },
    )
    identity = Identity("reporter")
    register(aws(emulator, 0, "iot"), identity)
    device = Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect()
    device.publish("report", "{}")
    (refused,) = until(lambda: received(emulator, refused_url))
    assert "no permission" in refused["failures"][0]["errorMessage"]
    aws(emulator, 0, "lambda").add_permission(
        FunctionName="always-fails",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="iot.amazonaws.com",
        SourceArn="arn:aws:iot:us-east-1:100000000001:rule/report",
    )
    device.publish("report", "{}")
    (failure,) = until(lambda: received(emulator, failed_url))
    assert failure["requestPayload"] == {"who": "reporter"}
    device.close()
