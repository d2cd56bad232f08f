"""A target whose subscription was never confirmed can be removed: CloudFormation cannot delete such a subscription."""

from typing import Any

import boto3
import pytest

from infra.teardown import target
from infra.teardown.subscriptions import TOPIC, delete_unconfirmed
from tests.aws import HOME

PENDING, CONFIRMED, ABSENT = (f"arn:aws:sns:eu-west-1:1:{name}" for name in ("pending", "confirmed", "absent"))


class Sns:
    """A client of SNS with two topics, each with a confirmed subscription. It records the deleted topics."""

    exceptions = boto3.client("sns", region_name="eu-west-1").exceptions

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, TopicArn: str) -> Any:  # noqa: N803  # boto3's parameter
        if TopicArn == ABSENT:
            raise self.exceptions.NotFoundException({}, "ListSubscriptionsByTopic")
        yield {"Subscriptions": [{"SubscriptionArn": f"{TopicArn}:1"}]}
        if TopicArn == PENDING:
            yield {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]}

    def delete_topic(self, TopicArn: str) -> None:  # noqa: N803
        self._calls.append(f"topic {TopicArn}")


class DeployedStack:
    """The target's stack. It records its deletion and its reduction."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def resources(self, kind: str) -> list[str]:
        return [PENDING] if kind == TOPIC else []

    def status(self) -> str:
        return "CREATE_COMPLETE"

    def delete(self, _report: object) -> None:
        self._calls.append("deleted")

    def reduce_for_devices(self, _report: object) -> None:
        self._calls.append("reduced")


class Session:
    """A session whose only used client is that of SNS."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def client(self, service: str, **_: object) -> Any:
        return Sns(self._calls) if service == "sns" else None


def test_only_topics_with_an_unconfirmed_subscription_are_deleted() -> None:
    calls: list[str] = []
    lines: list[str] = []
    delete_unconfirmed(Sns(calls), [CONFIRMED, ABSENT, PENDING], lines.append)
    assert calls == [f"topic {PENDING}"]
    assert lines == ["deleting the topic pending, because a subscription to it was never confirmed"]


@pytest.mark.parametrize(("keep_devices", "last"), [(False, "deleted"), (True, "reduced")])
def test_the_topic_is_deleted_before_the_stack(monkeypatch: pytest.MonkeyPatch, keep_devices: bool, last: str) -> None:
    calls: list[str] = []
    monkeypatch.setattr(target, "Stack", lambda *_: DeployedStack(calls))
    removal = target.TargetRemoval(Session(calls), HOME, lambda _line: None)
    for step in ("_remove_devices", "_remove_role"):
        monkeypatch.setattr(removal, step, lambda: None)
    removal.run(keep_devices=keep_devices)
    assert calls == [f"topic {PENDING}", last]
