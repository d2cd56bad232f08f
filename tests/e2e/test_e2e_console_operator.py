"""The operator's pages in a real browser: waiting devices, a device's page, failures, targets, ten thousand rows."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.targets.target import profile_policy
from lobby.ledger.items import attributes_of
from lobby.ledger.lists.counts import KIND, PARTITIONS, Bucket
from lobby.ledger.models import CountRow, LedgerRow
from lobby.names import Fingerprint, Region, Target, ThingName
from tests.e2e.browser import PHONE, Visit
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of

Visiting = Callable[..., Visit]
MANY: Final = 10_000
_AT: Final = "2026-01-01T00:00:00.000Z"


def _waiting_device(deployed: Deployment, fleet: Fleet) -> tuple[str, str]:
    """Return the fingerprint and name of a new device that waits in the lobby."""
    paths = fleet.make()
    fleet.power_on(paths)
    deployed.wait(certid_of(paths), "inlobby")
    return certid_of(paths), name_of(paths)


def _choose_target(dialog: Locator, page: Page, target: Target) -> None:
    dialog.get_by_role("combobox", name="Target").or_(dialog.get_by_role("textbox", name="Target")).first.click()
    page.get_by_role("option").filter(has_text=str(target)).click()


def _actions(page: Page) -> list[str]:
    return [name.strip() for name in page.get_by_role("group", name="Actions").get_by_role("button").all_inner_texts()]


@pytest.mark.full
def test_waiting_devices_appear_live_and_are_claimed_together(
    visit: Visiting, deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    page = visit().sign_in("operator", "/waiting")
    expect(page.get_by_role("heading", name="Waiting", level=1)).to_be_visible()
    devices = [_waiting_device(deployed, fleet) for _ in range(3)]
    boxes = [page.get_by_role("checkbox", name=f"Select {name}") for _, name in devices]
    for box in boxes:
        expect(box).to_be_visible()  # devices that arrive during a selection are held back
    for box in boxes:
        box.check()
    page.get_by_role("button", name="Claim 3…").click()
    dialog = page.get_by_role("dialog")
    _choose_target(dialog, page, first)
    dialog.get_by_role("button", name="Claim 3", exact=True).click()
    for certid, _ in devices:
        deployed.wait(certid, "arrived")
    expect(page.get_by_text(re.compile("3 .*claimed")).first).to_be_visible()


@contextmanager
def _policy_removed(deployed: Deployment, target: Target) -> Iterator[None]:
    """Remove the profile's policy from the target, as if its stack were not deployed."""
    iot, name = deployed.client(target, "iot"), profile_policy("default")
    document = iot.get_policy(policyName=name)["policyDocument"]
    for principal in iot.list_targets_for_policy(policyName=name)["targets"]:
        iot.detach_policy(policyName=name, target=principal)
    iot.delete_policy(policyName=name)
    try:
        yield
    finally:
        iot.create_policy(policyName=name, policyDocument=document)


@pytest.mark.full
def test_a_failed_commissioning_shows_its_reason_and_can_be_retried(
    visit: Visiting, deployed: Deployment, fleet: Fleet, second: Target
) -> None:
    certid, name = _waiting_device(deployed, fleet)
    session = visit(PHONE)
    with _policy_removed(deployed, second):
        deployed.claim(certid, second)
        deployed.wait(certid, "failed")
        page = session.sign_in("operator", f"/devices/{certid}")
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        expect(page.get_by_text("TARGET_POLICY_MISSING").first).to_be_visible()
        assert session.accessibility_violations() == []
    page.get_by_role("button", name="Retry", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_text("Arrived", exact=True).first).to_be_visible()
    deployed.wait(certid, "arrived")


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        pytest.param(
            "admin",
            {"Move", "Change config", "Release", "Quarantine", "Renew", "Retry", "Revoke"},
            marks=pytest.mark.full,
        ),
        ("operator", {"Move", "Change config", "Release", "Quarantine", "Renew", "Retry", "Revoke"}),
        pytest.param("technician", set(), marks=pytest.mark.full),
        pytest.param("viewer", set(), marks=pytest.mark.full),
    ],
)
def test_a_devices_page_offers_the_actions_of_the_role(
    visit: Visiting, deployed: Deployment, fleet: Fleet, role: str, actions: set[str]
) -> None:
    certid, name = _waiting_device(deployed, fleet)
    deployed.claim(certid)
    deployed.wait(certid, "arrived")
    page = visit().sign_in(role, f"/devices/{certid}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Certificate", exact=True).first).to_be_visible()
    assert set(_actions(page)) == actions


@pytest.mark.full
def test_revoking_explains_its_effect_and_requires_a_reason(
    visit: Visiting, deployed: Deployment, fleet: Fleet, first: Target
) -> None:
    certid, _ = _waiting_device(deployed, fleet)
    deployed.claim(certid, first)
    deployed.wait(certid, "arrived")
    page = visit().sign_in("operator", f"/devices/{certid}")
    page.get_by_role("button", name="Revoke", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(re.compile("permanently|final")).first).to_be_visible()
    confirm = dialog.get_by_role("button", name="Revoke", exact=True)
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Reason").fill("stolen from the depot")
    confirm.click()
    deployed.wait(certid, "revoked")
    expect(page.get_by_text("stolen from the depot").first).to_be_visible()


@pytest.mark.full
def test_an_admin_adds_a_target_and_its_check_shows_what_is_missing(visit: Visiting) -> None:
    page = visit().sign_in("admin", "/targets")
    page.get_by_role("button", name=re.compile("^Add")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("AWS account").fill("50000000000")
    expect(dialog.get_by_text(re.compile("12 digits")).first).to_be_visible()
    dialog.get_by_label("AWS account").fill("500000000005")
    dialog.get_by_label("Region").fill("eu-central-1")
    dialog.get_by_label("Name").fill("Berlin")
    dialog.get_by_role("button", name=re.compile("^(Add|Register)")).click()
    expect(page.get_by_text("./deploy.sh target --account 500000000005").first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Check Berlin").first.click()
    expect(page.get_by_text("sts:AssumeRole").first).to_be_visible()


def _bulk_rows(region: Region, target: Target) -> Iterator[dict[str, Any]]:
    for number in range(MANY):
        certid = Fingerprint(hashlib.sha256(f"bulk {number}".encode()).hexdigest())
        yield LedgerRow(
            **attributes_of(
                Device(
                    certid=certid,
                    devstate=State.ARRIVED,
                    enteredat=_AT,
                    version=5,
                    generation=1,
                    devicename=ThingName(f"bulk-{number:06}"),
                    target=target,
                    iotep="127.65.0.1",
                    claimedby="user:operator",
                    claimedat=_AT,
                    firstseen=_AT,
                    lastseen=_AT,
                    lobbyregion=region,
                    counted=_bucket(target).key,
                )
            )
        ).serialize()


def _bucket(target: Target) -> Bucket:
    return Bucket(State.ARRIVED, target)


@contextmanager
def _filled(deployed: Deployment, target: Target) -> Iterator[None]:
    """Add the rows to the ledger, and remove them for tests that read every device."""
    rows = list(_bulk_rows(deployed.lobby.region, target))
    _write(deployed, target, [{"PutRequest": {"Item": row}} for row in rows], MANY)
    try:
        yield
    finally:
        gone = [{"DeleteRequest": {"Key": {"certid": row["certid"]}}} for row in rows]
        _write(deployed, target, gone, -MANY)


def _write(deployed: Deployment, target: Target, requests: list[Any], more: int) -> None:
    tables = deployed.client(deployed.lobby, "dynamodb")
    for start in range(0, len(requests), 25):
        batch = {LedgerRow.Meta.table_name: requests[start : start + 25]}
        assert not tables.batch_write_item(RequestItems=batch)["UnprocessedItems"]
    tables.update_item(
        TableName=CountRow.Meta.table_name,
        Key={"kind": {"S": KIND}, "bucket": {"S": f"{_bucket(target).key}|0"}},
        UpdateExpression="ADD #count :more",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":more": {"N": str(more)}},
    )


def _wait_until_idle(deployed: Deployment) -> None:
    """Wait until the API makes no queries for a second."""
    seen = list[int]()

    def is_idle() -> bool:
        seen.append(deployed.calls("device-lobby-admin-api")["dynamodb:Query"])
        return seen[-2:-1] == seen[-1:]

    until(is_idle, every=1.0)


@pytest.mark.full
def test_a_page_of_ten_thousand_devices_is_one_query_and_a_name_is_found(
    visit: Visiting, deployed: Deployment, second: Target
) -> None:
    with _filled(deployed, second):
        page = visit().sign_in("operator", "/overview")
        expect(page.get_by_text(re.compile("10,0[0-9][0-9]")).first).to_be_visible()
        page.goto("about:blank")
        _wait_until_idle(deployed)  # the overview's requests in progress also read the counts
        start, lists = deployed.log_position(), list[Request]()
        page.on(
            "request", lambda request: lists.append(request) if "query Devices(" in (request.post_data or "") else None
        )
        page.goto(f"{deployed.file.console_url}devices?state=arrived")
        rows = page.get_by_role("table", name="Devices").get_by_role("row")
        expect(rows.nth(20)).to_be_visible()
        queries = deployed.calls("device-lobby-admin-api", start)["dynamodb:Query"]
        expected = "one for each list, the targets (perhaps twice), the blocked users, and the counts' partitions"
        assert 0 < queries <= len(lists) + 2 + 1 + 1 + PARTITIONS, expected
        page.get_by_role("button", name=re.compile("Next")).click()
        expect(rows.nth(20)).to_be_visible()
        page.get_by_label("Find a device").fill("bulk-004321")
        expect(page.get_by_role("link", name="bulk-004321")).to_be_visible()
        expect(rows).to_have_count(2)
