"""Finds the registrations that belong to a lobby, in a target and in the lobby's own account. Reads only.

In a target, a thing of the lobby has the attributes `certid`, its certificate's fingerprint, and `claim`, which names
the lobby. A thing of an earlier version, without a claim, belongs to this lobby if a policy of the target's stack is
attached to its certificate, or if its attribute `lobby` names the lobby. In the lobby's account, the ledger lists the
devices. Everything else belongs to other owners and is reported, not removed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from infra.teardown.registry import Registry
from infra.teardown.removal import Registration
from lobby.domain.claims.serial_claim import RESERVED
from lobby.domain.targets.thing_claim import CERTID, CLAIM, parse_claim
from lobby.ledger.models import LedgerRow, NameRow
from lobby.lobby_names import LobbyNames

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LOBBY: Final = "lobby"
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Inventory:
    """The registrations of the lobby, and the ARNs of other certificates that have one of its policies attached."""

    registrations: tuple[Registration, ...]
    foreign: tuple[str, ...] = ()


def of_target(registry: Registry, policies: Iterable[str], names: LobbyNames) -> Inventory:
    """Return the registrations in a target. `policies` are the policies of the target's stack; `names` are this lobby's
    names. Comparing the lobby's id is enough, because two lobbies with the same id have the same names and cannot share
    a target."""
    attached = _attached(registry, policies)
    found: list[Registration] = []
    with_thing: set[str] = set()
    for thing in registry.listed("ListThings", "things"):
        attributes: Mapping[str, str] = thing.get("attributes", {})
        certid, claim = attributes.get(CERTID, ""), parse_claim(attributes.get(CLAIM))
        if not _FINGERPRINT.fullmatch(certid):
            continue
        arn = registry.certificate_arn(certid)
        mark = None
        if claim is None:
            owner = attributes.get(LOBBY)
            if owner != names.prefix and (owner is not None or arn not in attached):
                continue
            mark = (LOBBY, names.prefix) if owner is None else None
        elif claim.lobby_id != names.id:
            continue
        with_thing.add(arn)
        found.append(Registration(certid, (thing["thingName"],), tuple(attached.get(arn, ())), mark))
    rest = {arn: _things_of(registry, arn) for arn in attached if arn not in with_thing}
    alone = {arn for arn, things in rest.items() if things == ()}
    found, joined = _joined(found, {arn: things for arn, things in rest.items() if things})
    found += [Registration(_certid(arn), (), tuple(attached[arn])) for arn in alone]
    return Inventory(tuple(sorted(found, key=str)), tuple(sorted(rest.keys() - alone - joined)))


def of_lobby(registry: Registry, dynamodb: "DynamoDBClient", policies: Iterable[str]) -> Inventory:
    """Return the registrations in the lobby's account: the certificates of the ledger that have connected, and all
    certificates with one of the lobby's `policies`. The ledger is retained, so an interrupted removal finds the
    rest."""
    attached = _attached(registry, policies)
    existing = {each["certificateId"] for each in registry.listed("ListCertificates", "certificates")}
    things = {each["thingName"] for each in registry.listed("ListThings", "things")}
    names = _scanned(dynamodb, NameRow.Meta.table_name, "devicename", "certid")
    by_certid = {certid: name for name, certid in names if certid != RESERVED}
    found: list[Registration] = []
    columns = ("firstseen", "certificate", "pending")
    for certid, firstseen, *newer in _scanned(dynamodb, LedgerRow.Meta.table_name, "certid", *columns):
        if not firstseen:
            continue  # expected: the lobby has registered nothing yet
        more = tuple(each for each in dict.fromkeys(newer) if each in existing and each != certid)
        name = by_certid.get(certid)
        own = (name,) if name in things and name is not None else ()
        if certid in existing or own or more:
            policies = tuple(attached.get(registry.certificate_arn(certid), ()))
            found.append(Registration(certid if certid in existing else None, own, policies, more=more))
    known = {registry.certificate_arn(certid) for each in found for certid in (each.certid, *each.more) if certid}
    rest = {arn: _things_of(registry, arn) or () for arn in attached.keys() - known if ":cert/" in arn}
    found, joined = _joined(found, rest)
    found += [Registration(_certid(arn), rest[arn], tuple(attached[arn])) for arn in rest.keys() - joined]
    foreign = sorted(arn for arn in attached if ":cert/" not in arn)
    return Inventory(tuple(sorted(found, key=str)), tuple(foreign))


def _attached(registry: Registry, policies: Iterable[str]) -> dict[str, list[str]]:
    """Return the policies by the ARN that they are attached to. A missing policy is attached to nothing."""
    found: dict[str, list[str]] = {}
    for policy in policies:
        for arn in registry.listed_if_present("ListTargetsForPolicy", "targets", policyName=policy):
            found.setdefault(arn, []).append(policy)
    return found


def _things_of(registry: Registry, arn: str) -> tuple[str, ...] | None:
    """Return the things of a certificate; None if this is none. The lobby's policies allow no connection without a
    thing, so a certificate without one is left from an interrupted registration."""
    return tuple(registry.call("ListPrincipalThings", principal=arn)["things"]) if ":cert/" in arn else None


def _joined(found: Iterable[Registration], rest: Mapping[str, tuple[str, ...]]) -> tuple[list[Registration], set[str]]:
    """Add the certificates of `rest` to the registrations whose thing they are attached to: AWS IoT deletes a thing
    only after all its certificates. Return all registrations, and the certificates that were added."""
    of_thing: dict[str, list[str]] = {}
    for arn, things in rest.items():
        for thing in things:
            of_thing.setdefault(thing, []).append(arn)
    all_of, joined = list[Registration](), set[str]()
    for each in found:
        arns = sorted({arn for thing in each.things for arn in of_thing.get(thing, ())})
        all_of.append(replace(each, more=each.more + tuple(map(_certid, arns))))
        joined |= set(arns)
    return all_of, joined


def _certid(arn: str) -> str:
    return arn.rpartition("/")[2]


def _scanned(dynamodb: "DynamoDBClient", table: str, *columns: str) -> Iterator[tuple[str, ...]]:
    """Yield these attributes of each row of a table; nothing if the table does not exist."""
    names = {f"#{number}": name for number, name in enumerate(columns)}
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names
    )
    try:
        for page in pages:
            for item in page["Items"]:
                yield tuple(_text(item, name) for name in columns)
    except dynamodb.exceptions.ResourceNotFoundException:
        return


def _text(item: Mapping[str, Any], name: str) -> str:
    return str(item.get(name, {}).get("S", ""))
