"""The jobs that need the grants of events: publishing, webhooks, notices and the activity log.

No receiver runs. A failed request to a closed port of this machine is also recorded, which needs every grant of a
delivery.
"""

from typing import Final

from tests.bench.iam.device_jobs import claim, named
from tests.bench.iam.fixture import JobFailed, JobFixture
from tests.bench.iam.timer_jobs import invoke

_ACTIVITY: Final = "{ activity(first: 50) { nodes { certid event } } }"
_ADD: Final = 'mutation { addWebhook(url: "https://localhost:1/", events: ["claim"]) { webhook { id } } }'
_LOG: Final = "query($id: ID!) { webhookDeliveries(id: $id) { nodes { event result } } }"
_CHANGES: Final = ("rotateWebhookSecret", "disableWebhook", "enableWebhook")


_UNREAD: Final = "rules not read"
"""The publisher's warning if it cannot read the rules of the bus. It then publishes everything."""


def publish_events(fixture: JobFixture) -> None:
    """A claim is in the activity log, and its event can be published again, by the name of its entry. The publisher
    reads the rules of the bus."""
    unread = len(fixture.deployed.log_lines("publisher", _UNREAD))
    device = fixture.new_device()
    claim(fixture, device)

    def logged() -> bool:
        nodes = fixture.request("activity", _ACTIVITY)["activity"]["nodes"]
        return {"certid": device.certid, "event": "claim"} in nodes

    fixture.wait_for("the claim in the activity log", logged)
    invoke(fixture, "publisher", {"entries": [{"certid": device.certid, "seq": 1}]})
    if len(fixture.deployed.log_lines("publisher", _UNREAD)) > unread:
        raise JobFailed("reads the rules of the bus")


def deliver_to_webhook(fixture: JobFixture) -> None:
    webhook = fixture.request("adds", _ADD, "admin")["addWebhook"]["webhook"]["id"]
    for change in _CHANGES:
        fixture.request(change, f"mutation($id: ID!) {{ {change}(id: $id) {{ __typename }} }}", "admin", id=webhook)
    event = fixture.request("tests", "mutation($id: ID!) { testWebhook(id: $id) { event } }", "admin", id=webhook)

    def tried() -> bool:
        nodes = fixture.request("log", _LOG, "admin", id=webhook)["webhookDeliveries"]["nodes"]
        return {"event": event["testWebhook"]["event"], "result": "CONNECTION_FAILED"} in nodes

    fixture.wait_for("the request", tried)
    listed = fixture.request("lists", "{ webhooks { id undeliveredCount } }", "admin")["webhooks"]
    if webhook not in [each["id"] for each in listed]:
        raise JobFailed("list")
    fixture.request("removes", "mutation($id: ID!) { removeWebhook(id: $id) { id } }", "admin", id=webhook)


def subscribe_to_notices(fixture: JobFixture) -> None:
    fixture.request("subscribes", 'mutation { addAlert(email: "job@example.com") { email } }')
    if "job@example.com" not in [each["email"] for each in fixture.request("lists", "{ alerts { email } }")["alerts"]]:
        raise JobFailed("alerts")


EVENT_JOBS: Final = named(publish_events, deliver_to_webhook, subscribe_to_notices)
