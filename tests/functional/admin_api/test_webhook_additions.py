"""Additions of webhooks that are interrupted: no secret remains without a webhook, and the addition can be repeated."""

from dataclasses import replace
from datetime import timedelta

import pytest

from admin_api.operations.webhooks import WebhookAdministration, WithSecret
from lobby.aws.clients import client
from lobby.aws.webhook_secrets import PREFIX
from lobby.domain.events.webhook import ADDING, LONGEST_ADDITION, Webhook, WebhookState
from lobby.errors import Conflict
from lobby.ledger.clock import now
from tests.aws import Calls, CutOff
from tests.functional.admin_api.webhooks_on_moto import repeat_second_write, webhooks_on_moto

URL = "https://example.com/hook"
STEPS = 5
"""Read twice, write the webhook, store the secret, activate the webhook."""


@pytest.fixture
def webhooks(calls: Calls) -> WebhookAdministration:
    assert calls.made == []
    return webhooks_on_moto()


def owners(calls: Calls) -> list[str]:
    """Return the webhooks of all stored secrets."""
    with calls.uncounted():
        found = client("ssm").get_parameters_by_path(Path=PREFIX, Recursive=True)["Parameters"]
    return [each["Name"].split("/")[-2] for each in found]


def stored(calls: Calls) -> dict[str, str]:
    """Return the stored secrets by the names of their parameters."""
    with calls.uncounted():
        found = client("ssm").get_parameters_by_path(Path=PREFIX, Recursive=True, WithDecryption=True)["Parameters"]
    return {each["Name"]: each["Value"] for each in found}


def interrupted(webhooks: WebhookAdministration, calls: Calls, step: int = STEPS - 1) -> list[Webhook]:
    """Return the webhooks after an addition that was interrupted at `step`, by default once its secret was stored."""
    calls.cut_after = step
    with pytest.raises(CutOff):
        webhooks.add(URL, [], "user:ann")
    calls.cut_after = None
    return webhooks.webhooks.all()


def later(webhooks: WebhookAdministration, age: timedelta) -> WebhookAdministration:
    return replace(webhooks, clock=lambda: now() + age)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_an_interrupted_addition_leaves_no_secret_without_a_webhook(
    webhooks: WebhookAdministration, calls: Calls, step: int
) -> None:
    found = interrupted(webhooks, calls, step)
    assert set(owners(calls)) <= {each.id for each in found}
    assert all(each.reason == ADDING or step == STEPS for each in found)


@pytest.mark.parametrize("step", range(1, STEPS))
def test_the_next_addition_removes_what_an_interrupted_one_has_left(
    webhooks: WebhookAdministration, calls: Calls, step: int
) -> None:
    interrupted(webhooks, calls, step)
    added = later(webhooks, LONGEST_ADDITION + timedelta(seconds=5)).add(URL, [], "user:ann").webhook
    assert [each.id for each in webhooks.webhooks.all()] == [added.id]
    assert owners(calls) == [added.id]
    assert added.is_active


def test_an_addition_that_may_still_be_running_is_not_removed(webhooks: WebhookAdministration, calls: Calls) -> None:
    interrupted(webhooks, calls)
    later(webhooks, LONGEST_ADDITION - timedelta(minutes=1)).add(URL, [], "user:ann")
    assert len(webhooks.webhooks.all()) == 2


def test_an_interrupted_webhook_with_a_new_secret_is_not_removed(webhooks: WebhookAdministration, calls: Calls) -> None:
    [left] = interrupted(webhooks, calls)
    webhooks.rotate(left.id)
    later(webhooks, timedelta(days=1)).add(URL, [], "user:ann")
    assert webhooks.set_state(left.id, WebhookState.ACTIVE, "user:ann").reason is None


def test_a_webhook_that_is_removed_while_it_is_added_leaves_no_secret(
    webhooks: WebhookAdministration, calls: Calls
) -> None:
    calls.meanwhile["PutParameter"] = lambda: webhooks.remove(webhooks.webhooks.all()[0].id)
    with pytest.raises(Conflict):
        webhooks.add(URL, [], "user:ann")
    assert (webhooks.webhooks.all(), owners(calls)) == ([], [])


def test_a_new_webhook_whose_activation_the_client_repeats_counts_as_added(
    webhooks: WebhookAdministration, calls: Calls
) -> None:
    repeat_second_write(calls)
    added = webhooks.add(URL, [], "user:ann").webhook
    assert (added.is_active, owners(calls)) == (True, [added.id])


def test_an_incomplete_webhook_is_enabled_only_with_a_new_secret(webhooks: WebhookAdministration, calls: Calls) -> None:
    [found] = interrupted(webhooks, calls, 3)
    with pytest.raises(Conflict, match="WEBHOOK_INCOMPLETE"):
        webhooks.set_state(found.id, WebhookState.ACTIVE, "user:bob")
    assert webhooks.webhooks.all() == [found]
    webhooks.rotate(found.id)
    assert webhooks.set_state(found.id, WebhookState.ACTIVE, "user:bob").is_active
    assert owners(calls) == [found.id]


def test_a_webhook_whose_first_rotation_was_interrupted_is_incomplete_too(
    webhooks: WebhookAdministration, calls: Calls
) -> None:
    [left] = interrupted(webhooks, calls)
    webhooks.webhooks.reserve(left)
    with pytest.raises(Conflict, match="WEBHOOK_INCOMPLETE"):
        webhooks.set_state(left.id, WebhookState.ACTIVE, "user:bob")
    added = later(webhooks, LONGEST_ADDITION * 2).add(URL, [], "user:bob").webhook
    assert ([each.id for each in webhooks.webhooks.all()], owners(calls)) == ([added.id], [added.id])


@pytest.mark.parametrize("call", ["DeleteParameter", "DeleteItem"])
def test_a_secret_that_a_rotation_shows_during_the_removal_is_kept(
    webhooks: WebhookAdministration, calls: Calls, call: str
) -> None:
    [left] = interrupted(webhooks, calls)
    shown: list[WithSecret] = []
    calls.meanwhile[call] = lambda: shown.append(webhooks.rotate(left.id))
    later(webhooks, LONGEST_ADDITION * 2).add(URL, [], "user:bob")
    [rotated] = shown
    kept = stored(calls)[f"{PREFIX}/{left.id}/{rotated.webhook.secret}"]
    assert (kept, webhooks.webhooks.get(left.id)) == (rotated.secret, rotated.webhook)


def test_a_rotation_before_the_removal_keeps_its_secret(
    webhooks: WebhookAdministration, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    [left] = interrupted(webhooks, calls)
    rotated = webhooks.rotate(left.id)
    listed = webhooks.webhooks.all
    monkeypatch.setattr(webhooks.webhooks, "all", lambda: [left, *listed()])
    later(webhooks, LONGEST_ADDITION * 2).add(URL, [], "user:bob")
    assert stored(calls)[f"{PREFIX}/{left.id}/{rotated.webhook.secret}"] == rotated.secret


def test_an_addition_ignores_that_another_one_removes_an_interrupted_webhook(
    webhooks: WebhookAdministration, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    [left] = interrupted(webhooks, calls, 3)
    listed = webhooks.webhooks.all
    webhooks.webhooks.remove(left)
    monkeypatch.setattr(webhooks.webhooks, "all", lambda: [left, *listed()])
    added = later(webhooks, LONGEST_ADDITION * 2).add(URL, [], "user:bob").webhook
    assert (added.is_active, owners(calls)) == (True, [added.id])
