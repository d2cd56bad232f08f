"""Jobs that need the admin API rather than the lifecycle of one device: lists, histories, bulk claims and targets."""

import secrets
import time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from infra.local.bringup import CHECK, REGISTER
from tests.bench.iam.device_jobs import claim, commissioned, named, target_input
from tests.bench.iam.fixture import JobDevice, JobFailed, JobFixture

REMOVABLE_AFTER: Final = 31.0
"""Seconds after which an archived target can be removed."""
RESUMED_AFTER: Final = 40.0
"""Seconds after which a paused lane is processed again: its message is hidden for up to 30 s."""
_TOO_MANY: Final = 61
"""Claims of a technician in a minute, one more than are allowed (`lobby.domain.claims.claim_limits`)."""
ARRIVALS: Final = "device-lobby-arrivals"
_LISTS: Final = (
    '{ devices(filter: {state: "inlobby"}) { nodes { certid } } }',
    "{ devices { nodes { certid } } }",
    '{ devices(filter: {namePrefix: "demo"}) { nodes { certid } } }',
    '{ devices(filter: {fingerprintPrefix: "00aa"}) { nodes { certid } } }',
    "{ devices(filter: {renewal: DUE}) { nodes { certid } } }",
    "{ overview { total } }",
    "{ targets { name } }",
    "{ me { name } }",
)


def check_targets(fixture: JobFixture) -> None:
    for target in (fixture.first, fixture.second):
        findings = fixture.request("check", CHECK, **target_input(target))["checkTarget"]["findings"]
        missing = [finding["step"] for finding in findings if not finding["ok"]]
        if missing:
            raise JobFailed(f"checkTarget finds {', '.join(missing)}")


def list_devices(fixture: JobFixture) -> None:
    for document in _LISTS:
        fixture.request("lists", document)
    target = f'{{account: "{fixture.first.account}", region: "{fixture.first.region}"}}'
    fixture.request("lists by target", f"{{ devices(filter: {{target: {target}}}) {{ nodes {{ certid }} }} }}")
    device = fixture.new_device()
    claim(fixture, device)
    shown = fixture.request("history", "query($id: ID!) { device(certid: $id) { historyIntact } }", id=device.certid)
    if not shown["device"]["historyIntact"]:
        raise JobFailed("history")


def anchor_history(fixture: JobFixture) -> None:
    """Every history entry of the device has an anchor, and the API compares the two. It also shows the certificate."""
    device = fixture.new_device()
    fixture.connect_admitted(device).close()
    facts = "query($id: ID!) { device(certid: $id) { certificate { subject } } }"
    if not fixture.request("certificate", facts, id=device.certid)["device"]["certificate"]:
        raise JobFailed("certificate")
    document = "query($id: ID!) { verifyHistory(certid: $id) { entries anchored } }"

    def check() -> bool:
        result = fixture.request("verifies", document, id=device.certid)["verifyHistory"]
        return bool(result and result["anchored"] == result["entries"] > 0)

    fixture.wait_for("anchored", check)
    fixture.request("exports", "query($id: ID!) { exportHistory(certid: $id) { key } }", id=device.certid)


def claim_in_bulk(fixture: JobFixture) -> None:
    claim_all(fixture, [fixture.new_device().certid for _ in range(2)])


def claim_all(fixture: JobFixture, certids: list[str]) -> None:
    """Claim them together for the first target."""
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok code } } }"
    )
    target = target_input(fixture.first)
    results = fixture.request("claimDevices", document, ids=certids, target=target)["claimDevices"]["results"]
    refused = {result["code"] for result in results if not result["ok"]}
    if refused:
        raise JobFailed(f"claimDevices: {', '.join(sorted(refused))}")


def claim_by_serial_number(fixture: JobFixture) -> None:
    """Claim serial numbers, of a device that has joined and of two that have not. One of these joins. The claim of the
    other is withdrawn."""
    device = fixture.new_device()
    fixture.connect_admitted(device).close()
    next_one = fixture.new_device(f"{device.name}-next")
    unseen = f"{device.name}-unseen"
    claim_serial_numbers(fixture, device.name, next_one.name, unseen)
    fixture.connect_admitted(next_one).close()
    for each in (device, next_one):
        fixture.wait_for_state(each, "commissioned")
    withdraw = "mutation($serial: String!) { withdrawSerialNumberClaim(serialNumber: $serial) { serialNumber } }"
    fixture.request("withdrawSerialNumberClaim", withdraw, serial=unseen)


def claim_serial_numbers(fixture: JobFixture, *serials: str) -> None:
    """Claim them for the first target."""
    document = (
        "mutation($serials: [String!]!, $target: TargetInput!) {"
        " claimSerialNumbers(serialNumbers: $serials, target: $target) { results { ok code } } }"
    )
    found = fixture.request("claimSerialNumbers", document, serials=serials, target=target_input(fixture.first))
    refused = {each["code"] for each in found["claimSerialNumbers"]["results"] if not each["ok"]}
    if refused:
        raise JobFailed(f"claimSerialNumbers: {', '.join(sorted(refused))}")


def limit_claims(fixture: JobFixture) -> None:
    """A technician claims more devices than the limit allows, which is in the activity log."""
    certids = [secrets.token_hex(32) for _ in range(_TOO_MANY)]
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { code } } }"
    )
    claimed = fixture.request("claims", document, "technician", ids=certids, target=target_input(fixture.first))
    if "RATE_LIMITED" not in {result["code"] for result in claimed["claimDevices"]["results"]}:
        raise JobFailed("limits claims")
    logged = fixture.request("activity", "{ activity(first: 100) { nodes { certid event } } }")["activity"]["nodes"]
    if not any(each["event"] == "limited" and each["certid"] in certids for each in logged):
        raise JobFailed("limit in the activity log")


def register_target(fixture: JobFixture) -> None:
    """Register a new target, and again with another name."""
    target = fixture.unused_target()
    for name in (f"New {target}", f"Renamed {target}"):  # a job is repeated, and no two targets have one name
        fixture.request("registerTarget", REGISTER, "admin", **target_input(target), name=name)


def open_template(fixture: JobFixture) -> None:
    """Open the template of a target by the link for its owner."""
    document = (
        "query($account: String!, $region: String!) {"
        " targetTemplate(account: $account, region: $region) { content quickCreateUrl } }"
    )
    template = fixture.request("targetTemplate", document, "admin", **target_input(fixture.first))["targetTemplate"]
    query = urlsplit(template["quickCreateUrl"]).fragment.partition("?")[2]
    address = parse_qs(query)["templateURL"][0]
    response = httpx.get(address)
    if response.status_code != 200 or response.text != template["content"]:
        raise JobFailed(f"the template's address answers {response.status_code}")


def remove_target(fixture: JobFixture) -> None:
    """Register a target, rename and archive it, and remove it when no claim can be in progress."""
    target = fixture.unused_target()
    scope = target_input(target)
    fixture.request("registerTarget", REGISTER, "admin", **scope, name=f"Short-lived {target}")
    for operation in ("archiveTarget", "restoreTarget", "archiveTarget"):
        fixture.request(operation, change_of_target(operation), "admin", **scope)
    time.sleep(REMOVABLE_AFTER)
    fixture.request("removeTarget", change_of_target("removeTarget"), "admin", **scope)


def change_of_target(operation: str) -> str:
    call = f"{operation}(account: $account, region: $region) {{ name }}"
    return f"mutation($account: String!, $region: String!) {{ {call} }}"


def pause_target(fixture: JobFixture) -> None:
    """A claim for a paused target waits in its lane, which the API shows, until the target continues."""
    device = fixture.new_device()
    fixture.connect_waiting(device).close()
    scope = target_input(fixture.first)
    fixture.request("pauseTarget", change_of_target("pauseTarget"), **scope)
    try:
        claim_all(fixture, [device.certid, fixture.new_device().certid])
        shown = fixture.request("cause", "query($id: ID!) { device(certid: $id) { waitsFor } }", id=device.certid)
        if "paused" not in (shown["device"]["waitsFor"] or ""):
            raise JobFailed("shows why the device waits")
        lanes = fixture.request("lane", "{ targets { account lane { pausedBy waiting } } }")["targets"]
        [lane] = [each["lane"] for each in lanes if each["account"] == fixture.first.account]
        if not (lane["pausedBy"] and lane["waiting"]):
            raise JobFailed("shows the paused lane")
    finally:  # the next job needs the lane
        fixture.request("resumeTarget", change_of_target("resumeTarget"), **scope)
        fixture.wait_for("continues", lambda: _is_commissioned(fixture, device), RESUMED_AFTER)


def _is_commissioned(fixture: JobFixture, device: JobDevice) -> bool:
    """A device whose claim failed stays in the lobby, and there is nothing to wait for."""
    row = fixture.deployed.device(device.certid)
    return bool(row and row["devstate"] in ("commissioned", "arrived", "inlobby"))


def report_connections(fixture: JobFixture) -> None:
    """The API shows that a device is online and then offline, and that AWS IoT refused a client id."""
    device = fixture.new_device()
    connection = fixture.connect_admitted(device)
    fixture.wait_for("online", lambda: _shown(fixture, device)["online"] is True)
    connection.close()
    fixture.wait_for("offline", lambda: _shown(fixture, device)["online"] is False)
    if fixture.connect(device, client_id=f"{device.name}-other") is not None:
        raise JobFailed("another client id is refused")
    recent = "{ connectionProblems(first: 100) { certid code } }"
    fixture.wait_for(
        "problem listed",
        lambda: device.certid in [each["certid"] for each in fixture.request("recent", recent)["connectionProblems"]],
    )
    if [each["code"] for each in _shown(fixture, device)["connectionProblems"]] != ["CONNECT_DENIED"]:
        raise JobFailed("problem of the device")


def report_takeovers_in_target(fixture: JobFixture) -> None:
    """Two clients with one identity end each other's connections in a target, which reports it."""
    device = commissioned(fixture)
    connections = [fixture.connect_to(device, fixture.first) for _ in range(5)]
    codes = fixture.wait_for("reported", lambda: _shown(fixture, device)["connectionProblems"])
    for connection in connections:
        connection.close()
    if codes != [{"code": "DUPLICATE_CLIENTID"}]:
        raise JobFailed(f"reported as {codes}")


def find_copy(fixture: JobFixture) -> None:
    """Two clients with one identity, from two addresses, end each other's connections in the lobby. The device is
    suspected; the policy of its target is read."""
    device = commissioned(fixture)
    connections = [fixture.connect(device, source=f"127.0.0.{1 + number % 2}") for number in range(12)]
    document = "query($id: ID!) { device(certid: $id) { suspicion { place } } }"
    found = fixture.wait_for(
        "suspected", lambda: fixture.request("device", document, id=device.certid)["device"]["suspicion"]
    )
    for connection in connections:
        if connection is not None:
            connection.close()
    if found != {"place": "lobby"}:
        raise JobFailed(f"suspected as {found}")


def _shown(fixture: JobFixture, device: JobDevice) -> dict[str, Any]:
    document = "query($id: ID!) { device(certid: $id) { online connectionProblems { code } } }"
    shown: dict[str, Any] = fixture.request("device", document, id=device.certid)["device"]
    return shown


def confirm_arrivals_topic(fixture: JobFixture) -> None:
    """The topic of a new target's arrivals requests a confirmation of its subscription."""
    target = fixture.unused_target()
    fixture.request("registerTarget", REGISTER, "admin", **target_input(target), name=f"Another {target}")
    sns = fixture.deployed.client(target, "sns")
    topic = sns.create_topic(Name=ARRIVALS)["TopicArn"]
    lobby = fixture.deployed.lobby
    queue = f"arn:aws:sqs:{lobby.region}:{lobby.account}:{ARRIVALS}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def check() -> bool:
        [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if not subscription["SubscriptionArn"].startswith("arn:"):
            return False
        attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
        return bool(attributes["PendingConfirmation"] == "false")

    fixture.wait_for("confirmed", check)


API_JOBS: Final = named(
    check_targets,
    list_devices,
    anchor_history,
    claim_in_bulk,
    claim_by_serial_number,
    limit_claims,
    register_target,
    open_template,
    remove_target,
    pause_target,
    report_connections,
    report_takeovers_in_target,
    find_copy,
    confirm_arrivals_topic,
)
"""By name."""
