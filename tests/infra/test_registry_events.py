"""Registry events are enabled by a custom resource, which disables only what it has enabled."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import boto3
import pytest

from infra.archive.registry_events import CODE, EVENTS, QUERIES
from infra.archive.registry_events_code import apply, handler

CREATED_ID: Final = "registry-events:THING_GROUP,THING_TYPE"


class Iot:
    """The event configuration of an account and Region, in which someone else uses things' events."""

    def __init__(self) -> None:
        self.enabled = {"THING", "JOB"}
        self.calls: list[dict[str, Any]] = []
        self.fails: Exception | None = None

    def describe_event_configurations(self) -> dict[str, Any]:
        return {"eventConfigurations": {name: {"Enabled": name in self.enabled} for name in (*EVENTS, "JOB")}}

    def update_event_configurations(self, *, eventConfigurations: dict[str, Any]) -> None:  # noqa: N803  # boto3's
        if self.fails:
            raise self.fails
        self.calls.append(eventConfigurations)
        for name, content in eventConfigurations.items():
            (self.enabled.add if content["Enabled"] else self.enabled.discard)(name)


def request(kind: str, known: str | None = None, events: tuple[str, ...] = EVENTS) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "RegistryEventsEnabled",
        "ResourceProperties": {"Events": list(events)},
    } | ({"PhysicalResourceId": known} if known else {})


def test_only_what_was_disabled_is_enabled_and_later_disabled() -> None:
    iot = Iot()
    known = apply(iot, request("Create"))
    assert iot.enabled == {*EVENTS, "JOB"}
    assert known == "registry-events:" + ",".join(EVENTS[1:])
    assert apply(iot, request("Delete", known)) == known
    assert iot.enabled == {"THING", "JOB"}


def test_a_repeated_creation_leaves_the_events_to_their_other_users() -> None:
    iot = Iot()
    apply(iot, request("Create"))
    again = apply(iot, request("Create"))
    calls = len(iot.calls)
    apply(iot, request("Delete", again))
    assert (again, len(iot.calls)) == ("registry-events:", calls)


def test_an_update_enables_more_and_keeps_the_id() -> None:
    iot = Iot()
    known = apply(iot, request("Create", events=EVENTS[:2]))
    assert apply(iot, request("Update", known)) == known
    assert iot.enabled == {*EVENTS, "JOB"}


def test_the_removal_of_a_resource_that_was_never_created_changes_nothing() -> None:
    iot = Iot()
    assert apply(iot, request("Delete", "DeviceLobby-RegistryEventsEnabled-1A2B")) == (
        "DeviceLobby-RegistryEventsEnabled-1A2B"
    )
    assert iot.calls == []


@pytest.fixture
def answers() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that receives answers, and what it has received."""
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            assert self.headers["Content-Type"] == ""
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fails", [False, True])
def test_cloudformation_always_gets_an_answer(
    answers: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    (address, received), iot = answers, Iot()
    iot.fails = PermissionError("not allowed") if fails else None
    monkeypatch.setattr(boto3, "client", lambda _service: iot)
    handler(request("Create", events=EVENTS[1:3]) | {"ResponseURL": address}, None)
    common = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "RegistryEventsEnabled"}
    failed = {"Status": "FAILED", "PhysicalResourceId": "registry-events:", "Reason": "PermissionError: not allowed"}
    assert received == [common | (failed if fails else {"Status": "SUCCESS", "PhysicalResourceId": CREATED_ID})]


def test_the_code_fits_into_a_template_and_uses_only_what_lambda_has() -> None:
    text = CODE.read_text()
    assert len(text) < 4096
    assert {line for line in text.splitlines() if line.startswith(("import ", "from "))} == {
        "import json",
        "import urllib.request",
        "from typing import Any",
        "import boto3",
    }


def test_aws_iot_knows_each_event_and_each_has_a_topic() -> None:
    shape: Any = boto3.Session().client("iot", region_name="eu-west-1").meta.service_model.shape_for("EventType")
    assert set(EVENTS) <= set(shape.enum)
    assert len(QUERIES) == len(EVENTS)
