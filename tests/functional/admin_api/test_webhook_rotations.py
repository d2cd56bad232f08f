"""Rotations and removals of webhooks that other requests or a crash interrupt: the stored secret is the one whose user
has seen it, and no secret remains that nothing uses.
"""

import pytest

from admin_api.operations.webhooks import WebhookAdministration, WithSecret
from lobby.aws.clients import client
from lobby.aws.webhook_secrets import PREFIX
from lobby.domain.events.webhook import Webhook, WebhookState
from lobby.errors import Conflict, NotFound
from tests.aws import Calls, CutOff
from tests.functional.admin_api.webhooks_on_moto import repeat_second_write, webhooks_on_moto

URL = "https://example.com/hook"
STEPS_OF_A_ROTATION = 5
"""Read, reserve, store, record, and delete the secret before the previous one."""
RECORDED = 4


@pytest.fixture
def webhooks(calls: Calls) -> WebhookAdministration:
    assert calls.made == []
    return webhooks_on_moto()


@pytest.fixture
def added(webhooks: WebhookAdministration, calls: Calls) -> WithSecret:
    with calls.uncounted():
        return webhooks.add(URL, [], "user:ann")


def stored(calls: Calls) -> dict[int, str]:
    """Return all stored secrets by their number."""
    with calls.uncounted():
        found = client("ssm").get_parameters_by_path(Path=PREFIX, Recursive=True, WithDecryption=True)["Parameters"]
    return {int(each["Name"].rpartition("/")[2]): each["Value"] for each in found}


def recorded(webhooks: WebhookAdministration, calls: Calls, webhook: Webhook) -> Webhook:
    with calls.uncounted():
        return webhooks.get(webhook.id)


def require_agreement(webhooks: WebhookAdministration, calls: Calls, webhook: Webhook, secret: str) -> None:
    """Require that requests are signed with this secret, and that only it and the one before it are stored."""
    found, secrets = recorded(webhooks, calls, webhook), stored(calls)
    assert secrets[found.secret] == secret
    assert set(secrets) == {found.secret, found.secret_before}


@pytest.mark.parametrize("call", ["PutItem", "PutParameter"])
def test_of_two_rotations_at_the_same_time_the_secret_of_the_recorded_one_is_stored(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls, call: str
) -> None:
    seen: list[str] = []
    calls.meanwhile[call] = lambda: seen.append(webhooks.rotate(added.webhook.id).secret)
    with pytest.raises(Conflict, match="changed just now"):
        webhooks.rotate(added.webhook.id)
    require_agreement(webhooks, calls, added.webhook, *seen)


def test_a_rotation_that_another_one_overtakes_before_it_is_recorded_leaves_no_secret(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    seen: list[str] = []

    def overtake() -> None:
        calls.meanwhile["PutItem"] = lambda: seen.append(webhooks.rotate(added.webhook.id).secret)

    calls.meanwhile["PutParameter"] = overtake
    with pytest.raises(Conflict, match="changed just now"):
        webhooks.rotate(added.webhook.id)
    require_agreement(webhooks, calls, added.webhook, *seen)


@pytest.mark.parametrize("step", range(1, STEPS_OF_A_ROTATION + 1))
def test_an_interrupted_rotation_is_repeated_and_leaves_no_secret(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls, step: int
) -> None:
    with calls.uncounted():
        seen = webhooks.rotate(added.webhook.id).secret
    calls.cut_after = step
    with pytest.raises(CutOff):
        webhooks.rotate(added.webhook.id)
    calls.cut_after = None
    in_use = stored(calls)[recorded(webhooks, calls, added.webhook).secret]
    assert (in_use == seen) is (step < RECORDED)
    for _ in range(2):
        seen = webhooks.rotate(added.webhook.id).secret
    require_agreement(webhooks, calls, added.webhook, seen)


@pytest.mark.parametrize("step", range(1, STEPS_OF_A_ROTATION + 1))
def test_removing_a_webhook_after_an_interrupted_rotation_leaves_no_secret(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls, step: int
) -> None:
    webhooks.rotate(added.webhook.id)
    calls.forget()
    calls.cut_after = step
    with pytest.raises(CutOff):
        webhooks.rotate(added.webhook.id)
    calls.cut_after = None
    webhooks.remove(added.webhook.id)
    assert stored(calls) == {}


def test_a_write_that_the_client_repeats_after_its_response_was_lost_counts_as_recorded(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    repeat_second_write(calls)
    rotated = webhooks.rotate(added.webhook.id)
    require_agreement(webhooks, calls, added.webhook, rotated.secret)


def test_a_webhook_that_is_removed_during_a_rotation_leaves_no_secret(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    calls.meanwhile["PutParameter"] = lambda: webhooks.remove(added.webhook.id)
    with pytest.raises(Conflict):
        webhooks.rotate(added.webhook.id)
    assert stored(calls) == {}


def test_a_webhook_that_is_rotated_during_its_removal_leaves_no_secret(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    calls.meanwhile["DeleteItem"] = lambda: webhooks.rotate(added.webhook.id)
    assert webhooks.remove(added.webhook.id) == added.webhook.id
    assert stored(calls) == {}
    with pytest.raises(NotFound):
        webhooks.get(added.webhook.id)


def test_a_disabled_webhook_keeps_its_state_during_a_rotation(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    calls.meanwhile["PutParameter"] = lambda: webhooks.set_state(added.webhook.id, WebhookState.DISABLED, "user:eve")
    with pytest.raises(Conflict):
        webhooks.rotate(added.webhook.id)
    found = recorded(webhooks, calls, added.webhook)
    assert (found.state, stored(calls)) == (WebhookState.DISABLED, {1: added.secret})


def test_a_webhook_of_an_earlier_version_is_rotated(
    webhooks: WebhookAdministration, added: WithSecret, calls: Calls
) -> None:
    with calls.uncounted():
        for number in (2, 3, 4):
            webhooks.secrets.put(added.webhook.id, number, f"whsec_{number}")
        row = client("dynamodb").scan(TableName="device-lobby-webhooks")["Items"][0]
        client("dynamodb").put_item(TableName="device-lobby-webhooks", Item={**row, "secret": {"N": "3"}})
    assert recorded(webhooks, calls, added.webhook).secret_before == 2
    rotated = webhooks.rotate(added.webhook.id)
    require_agreement(webhooks, calls, added.webhook, rotated.secret)
