"""Webhooks on the deployed lobby, with the Lambdas' own roles: a real receiver over HTTPS with its own CA, a repeated
request, a receiver that no longer exists, and a redrive."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.api import ApiRefused
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of
from tests.webhook_receiver import Answer, Receiver, Request, receiving

ADD = "mutation($url: String!, $events: [String!]) { addWebhook(url: $url, events: $events) { webhook { id } secret } }"
STATE = "{ webhooks { id state reason failingSince undeliveredCount } }"
LOG = "query($id: ID!) { webhookDeliveries(id: $id, first: 50) { nodes { event type attempt result status } } }"


@pytest.fixture
def receiver(deployed: Deployment, tmp_path: Path) -> Iterator[Receiver]:
    with receiving(tmp_path) as running:
        shutil.copyfile(running.roots, deployed.layout.webhook_roots_path)
        yield running
    for webhook in deployed.api("admin").ask(STATE)["webhooks"]:
        deployed.api("admin").ask("mutation($id: ID!) { removeWebhook(id: $id) { id } }", id=webhook["id"])


class Hook:
    """A webhook for the receiver."""

    def __init__(self, deployed: Deployment, receiver: Receiver, *events: str) -> None:
        self.deployed, self.receiver = deployed, receiver
        added = self.ask(ADD, url=receiver.url, events=list(events) or None)["addWebhook"]
        self.id, self.secret = added["webhook"]["id"], added["secret"]

    def ask(self, text: str, **variables: Any) -> Any:
        return self.deployed.api("admin").ask(text, **variables)

    def change(self, operation: str, fields: str) -> Any:
        return self.ask(f"mutation($id: ID!) {{ {operation}(id: $id) {{ {fields} }} }}", id=self.id)[operation]

    @property
    def state(self) -> dict[str, Any]:
        return next(each for each in self.ask(STATE)["webhooks"] if each["id"] == self.id)

    def log(self, event: str) -> list[tuple[int, str, int | None]]:
        """Return attempt, result and status of the requests for an event, the oldest first."""
        nodes = self.ask(LOG, id=self.id)["webhookDeliveries"]["nodes"]
        return [(each["attempt"], each["result"], each["status"]) for each in reversed(nodes) if each["event"] == event]

    def requests(self, event: str) -> list[Request]:
        return [each for each in self.receiver.requests if each.headers["webhook-id"] == event]


def test_a_receiver_gets_each_event_of_a_device_signed(deployed: Deployment, fleet: Fleet, receiver: Receiver) -> None:
    hook = Hook(deployed, receiver, "claim", "revoke")
    event = hook.change("testWebhook", "event")["event"]
    until(lambda: hook.requests(event) or None, lambda: hook.log(event))
    assert hook.requests(event)[0].is_signed_with(hook.secret)

    certid = certid_of(fleet.make())
    # The publisher reads the webhooks every half minute.
    deployed.claim(certid)
    deployed.release(certid)
    until(lambda: _claims(deployed, hook, certid), lambda: receiver.requests, every=5)
    deployed.revoke(certid)
    [revoked] = until(lambda: _of(hook, certid, "device.revoke") or None, lambda: receiver.requests)
    body = json.loads(revoked.body)
    assert body["data"]["device"]["fingerprint"] == certid
    assert revoked.headers["webhook-id"] == body["data"]["id"]
    assert revoked.is_signed_with(hook.secret)
    assert {json.loads(each.body)["type"] for each in receiver.requests} <= {"test", "device.claim", "device.revoke"}
    assert hook.secret not in deployed.layout.log_path.read_text(errors="replace")


def _of(hook: Hook, certid: str, type_: str) -> list[Request]:
    found = [(each, json.loads(each.body)) for each in hook.receiver.requests]
    return [
        each
        for each, body in found
        if body["type"] == type_ and body["data"].get("device", {}).get("fingerprint") == certid
    ]


def _claims(deployed: Deployment, hook: Hook, certid: str) -> list[Request] | None:
    """Return the claims that the receiver has received. While there are none, claim and release the device."""
    found = _of(hook, certid, "device.claim")
    if not found:
        deployed.claim(certid)
        deployed.release(certid)
    return found or None


def test_a_failed_request_is_repeated(deployed: Deployment, receiver: Receiver) -> None:
    hook, answers = Hook(deployed, receiver), iter([Answer(500), Answer(302, {"Location": receiver.url})])
    receiver.answer = lambda _request: next(answers, Answer())
    event = hook.change("testWebhook", "event")["event"]
    until(lambda: len(hook.requests(event)) > 0 or None)
    until(lambda: hook.log(event) or None)
    assert hook.log(event)[0] == (1, "REJECTED", 500)
    assert hook.state["failingSince"]
    until(lambda: len(hook.log(event)) > 1 or None, lambda: hook.log(event), every=1)
    assert hook.log(event)[1] == (2, "REDIRECTED", 302)
    first, second = hook.requests(event)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]


def test_a_missing_receiver_is_disabled_and_a_redrive_sends_the_missed_events(
    deployed: Deployment, receiver: Receiver
) -> None:
    hook = Hook(deployed, receiver)
    receiver.answer = lambda _request: Answer(410)
    event = hook.change("testWebhook", "event")["event"]
    until(lambda: hook.state["state"] == "disabled" or None, lambda: hook.state)
    assert hook.state["reason"] == "GONE: no request was accepted"
    until(lambda: hook.state["undeliveredCount"] == 1 or None, lambda: hook.state)
    receiver.answer = lambda _request: Answer()
    hook.change("enableWebhook", "state")
    assert hook.change("redriveWebhook", "redriven") == {"redriven": 1}
    until(lambda: (1, "DELIVERED", 204) in hook.log(event) or None, lambda: hook.log(event))
    assert hook.state["undeliveredCount"] == 0


def test_a_rotated_secret_signs_next_to_the_old_one(deployed: Deployment, receiver: Receiver) -> None:
    hook = Hook(deployed, receiver)
    new = hook.change("rotateWebhookSecret", "secret")["secret"]
    event = hook.change("testWebhook", "event")["event"]
    [request] = until(lambda: hook.requests(event) or None)
    assert request.is_signed_with(new)
    assert request.is_signed_with(hook.secret)


def test_an_address_on_the_network_of_the_lobby_is_refused(deployed: Deployment, receiver: Receiver) -> None:
    for address in (
        f"https://127.0.0.1:{receiver.port}/",
        "https://169.254.169.254/",
        f"http://localhost:{receiver.port}/",
    ):
        with pytest.raises(ApiRefused) as refused:
            deployed.api("admin").ask(ADD, url=address, events=None)
        assert refused.value.code == "INVALID_URL"
