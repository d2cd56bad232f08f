"""Everything that the lobby is there for, as short jobs: each is done whole, or is `NotDone` and says how far it came.

One permission less must leave one of them undone.
"""

from collections.abc import Callable
from typing import Final

from infra.local.bringup import CHECK, REGISTER
from lobby.names import Target
from tests.bench.iam.stand import HELLO, NotDone, Stand, Thing
from tests.e2e.deployment import CLAIM, MOVE, RELEASE, RETRY, REVOKE

Job = Callable[[Stand], None]
ARRIVALS: Final = "device-lobby-arrivals"


def _at(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def _claimed(stand: Stand, thing: Thing, target: Target | None = None) -> None:
    stand.ask("claim", CLAIM, id=thing.certid, target=_at(target or stand.first))


def _moved(stand: Stand, thing: Thing, target: Target) -> None:
    stand.ask("move", MOVE, id=thing.certid, target=_at(target))


def commissioned(stand: Stand) -> Thing:
    """A device that has its place, but has not gone there."""
    thing = stand.made()
    stand.waiting(thing).close()
    _claimed(stand, thing)
    stand.state(thing, "commissioned")
    return thing


def _goes(stand: Stand, thing: Thing, target: Target) -> None:
    stand.until(f"connects to {target.region}", lambda: stand.dialled(thing, target)).close()
    stand.state(thing, "arrived")


def onboard(stand: Stand) -> None:
    thing = stand.made()
    device = stand.waiting(thing)
    _claimed(stand, thing)
    stand.hears(device, "the route is pushed", b'"iotep"')
    device.close()
    stand.state(thing, "commissioned")
    _goes(stand, thing, stand.first)


def claimed_first(stand: Stand) -> None:
    thing = stand.made()
    _claimed(stand, thing)
    stand.let_in(thing).close()
    stand.state(thing, "commissioned")


def said_hello_again(stand: Stand) -> None:
    thing = commissioned(stand)
    device = stand.let_in(thing)
    device.publish(HELLO, b"{}")
    stand.hears(device, "the hello is answered with the route", b'"iotep"')
    device.close()


def moved(stand: Stand) -> None:
    """There and back: the place it left is cleared, and is in use again when it returns."""
    thing = commissioned(stand)
    device = stand.until("connects to the first", lambda: stand.dialled(thing, stand.first))
    device.subscribe(f"lobby/{thing.name}")
    _moved(stand, thing, stand.second)
    stand.hears(device, "told to leave", b"factory reset")
    device.close()
    stand.state(thing, "commissioned", "arrived", previousTargets=[])
    stand.status(thing, stand.first, "INACTIVE")
    _moved(stand, thing, stand.first)
    stand.state(thing, "commissioned", "arrived", previousTargets=[])
    stand.status(thing, stand.first, "ACTIVE")


def retried_in_place(stand: Stand) -> None:
    """Done anew where it is: the target is told, and gives it no more than its profile."""
    thing = commissioned(stand)
    device = stand.until("connects to the first", lambda: stand.dialled(thing, stand.first))
    device.subscribe(f"lobby/{thing.name}")
    stand.ask("retry", RETRY, id=thing.certid)
    stand.hears(device, "told its route in the target", b'"iotep"')
    device.close()


def released(stand: Stand) -> None:
    thing = commissioned(stand)
    stand.ask("release", RELEASE, id=thing.certid)
    stand.state(thing, "inlobby", previousTargets=[])
    stand.status(thing, stand.first, "INACTIVE")


def released_unseen_and_admitted(stand: Stand) -> None:
    """An expectation that was taken back leaves its history, which goes on when the device comes."""
    thing = stand.made()
    _claimed(stand, thing)
    if not stand.ask("release", RELEASE, id=thing.certid)["releaseDevice"]["forgotten"]:
        raise NotDone("forgotten")
    stand.let_in(thing).close()
    if not stand.deployed.existing(thing.certid)["historyIntact"]:
        raise NotDone("its history goes on")


def revoked(stand: Stand) -> None:
    thing = commissioned(stand)
    stand.ask("revoke", REVOKE, id=thing.certid)
    for scope in (stand.deployed.lobby, stand.first):
        stand.status(thing, scope, "INACTIVE")


def revoked_knocks_again(stand: Stand) -> None:
    """Its registration is gone, the ledger remembers."""
    thing = stand.made()
    stand.ask("revoke", REVOKE, id=thing.certid)
    stand.dialled(thing)
    stand.status(thing, stand.deployed.lobby, "INACTIVE")


def name_taken(stand: Stand) -> None:
    thing = stand.made()
    stand.let_in(thing).close()
    rival = stand.made(thing.name)
    stand.dialled(rival)
    stand.state(rival, "refused", reason="NAME_TAKEN")
    stand.status(rival, stand.deployed.lobby, "INACTIVE")


def without_list(stand: Stand) -> None:
    thing = stand.made(crl=False)
    stand.dialled(thing)
    stand.state(thing, "refused", reason="CRL_MISSING")


def refused_and_retried(stand: Stand) -> None:
    """Forgotten by AWS IoT, so that it may knock again."""
    thing = stand.made(crl=False)
    stand.dialled(thing)
    stand.state(thing, "refused", reason="CRL_MISSING")
    stand.status(thing, stand.deployed.lobby, "INACTIVE")
    stand.ask("retry", RETRY, id=thing.certid)
    stand.status(thing, stand.deployed.lobby, None)


def admitted_once_refused_and_retried(stand: Stand) -> None:
    """The same where its certificate is bound to its thing: it was let in once."""
    thing = stand.made()
    stand.let_in(thing).close()
    iot = stand.deployed.client(stand.deployed.lobby, "iot")
    iot.update_certificate(certificateId=thing.certid, newStatus="INACTIVE")
    table = stand.deployed.client(stand.deployed.lobby, "dynamodb")
    table.update_item(
        TableName="device-lobby-ledger",
        Key={"certid": {"S": thing.certid}},
        UpdateExpression="SET devstate = :refused, reason = :why",
        ExpressionAttributeValues={":refused": {"S": "refused"}, ":why": {"S": "CRL_STALE"}},
    )
    stand.ask("retry", RETRY, id=thing.certid)
    stand.status(thing, stand.deployed.lobby, None)


def name_taken_in_target(stand: Stand) -> None:
    thing = stand.made()
    stand.deployed.client(stand.first, "iot").create_thing(thingName=thing.name)
    stand.waiting(thing).close()
    _claimed(stand, thing)
    stand.state(thing, "failed", reason="TARGET_NAME_TAKEN")


def checked(stand: Stand) -> None:
    for target in (stand.first, stand.second):
        found = stand.ask("check", CHECK, **_at(target))["checkTarget"]["findings"]
        missing = [finding["step"] for finding in found if not finding["ok"]]
        if missing:
            raise NotDone(f"checkTarget finds {', '.join(missing)}")


_LISTS: Final = (
    '{ devices(filter: {state: "inlobby"}) { nodes { certid } } }',
    "{ devices { nodes { certid } } }",
    '{ devices(filter: {namePrefix: "demo"}) { nodes { certid } } }',
    '{ devices(filter: {fingerprintPrefix: "00aa"}) { nodes { certid } } }',
    "{ overview { total } }",
    "{ targets { name } }",
    "{ me { name } }",
)


def listed(stand: Stand) -> None:
    for question in _LISTS:
        stand.ask("lists", question)
    target = f'{{account: "{stand.first.account}", region: "{stand.first.region}"}}'
    stand.ask("lists by target", f"{{ devices(filter: {{target: {target}}}) {{ nodes {{ certid }} }} }}")
    thing = stand.made()
    _claimed(stand, thing)
    found = stand.ask("history", "query($id: ID!) { device(certid: $id) { historyIntact } }", id=thing.certid)
    if not found["device"]["historyIntact"]:
        raise NotDone("history")


def anchored(stand: Stand) -> None:
    """What befell a device is on record outside of the table, too, and compared with it."""
    thing = stand.made()
    stand.let_in(thing).close()
    question = "query($id: ID!) { verifyHistory(certid: $id) { entries anchored } }"

    def look() -> bool:
        found = stand.ask("verifies", question, id=thing.certid)["verifyHistory"]
        return bool(found and found["anchored"] == found["entries"] > 0)

    stand.until("anchored", look)


def claimed_in_bulk(stand: Stand) -> None:
    things = [stand.made().certid for _ in range(2)]
    question = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok code } } }"
    )
    found = stand.ask("claimDevices", question, ids=things, target=_at(stand.first))["claimDevices"]["results"]
    refused = {each["code"] for each in found if not each["ok"]}
    if refused:
        raise NotDone(f"claimDevices: {', '.join(sorted(refused))}")


def registered_target(stand: Stand) -> None:
    """A new one, and once more under another name."""
    target = stand.elsewhere()
    for name in ("New", "Renamed"):
        stand.ask("registerTarget", REGISTER, "admin", account=target.account, region=target.region, name=name)


def heard_of(stand: Stand) -> None:
    """The topic by which a new target reports arrivals asks to be confirmed."""
    target = stand.elsewhere()
    stand.ask("registerTarget", REGISTER, "admin", account=target.account, region=target.region, name="Another")
    topics = stand.deployed.client(target, "sns")
    topic = topics.create_topic(Name=ARRIVALS)["TopicArn"]
    lobby = stand.deployed.lobby
    queue = f"arn:aws:sqs:{lobby.region}:{lobby.account}:{ARRIVALS}"
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def look() -> bool:
        [found] = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        if not found["SubscriptionArn"].startswith("arn:"):
            return False
        more = topics.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])["Attributes"]
        return bool(more["PendingConfirmation"] == "false")

    stand.until("confirmed", look)


JOBS: Final[dict[str, Job]] = {
    job.__name__.replace("_", " "): job
    for job in (
        onboard,
        claimed_first,
        said_hello_again,
        moved,
        retried_in_place,
        released,
        released_unseen_and_admitted,
        revoked,
        revoked_knocks_again,
        name_taken,
        without_list,
        refused_and_retried,
        admitted_once_refused_and_retried,
        name_taken_in_target,
        checked,
        listed,
        anchored,
        claimed_in_bulk,
        registered_target,
        heard_of,
    )
}
"""By name, the main job first."""
