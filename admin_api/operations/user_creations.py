"""What users have created and that still works: enrolments, their tokens and claim certificates, open offers to other
lobbies, claims of serial numbers whose devices have not joined, webhooks, and targets.

After a block, an admin decides about each of them, because a blocked user is often not the thief. Campaigns are not
here: a block stops them (`admin_api.blocked_users`). Everything is read once for all users.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from admin_api.services import Services
from lobby.domain.device import Device
from lobby.domain.enrolments.claim_certificate import ClaimCertificate
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentState
from lobby.domain.enrolments.enrolment_token import EnrolmentToken, TokenState
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transfers.transfer import TransferStep
from lobby.ledger.clock import now, timestamp
from lobby.ledger.lists.listing import MAX_PAGE
from lobby.ledger.transfers.transfer_lists import transfers
from lobby.names import ThingName

MOST_OF_A_KIND: Final = 100
"""The number of a user's creations of each kind that are returned. The others follow when these are ended."""
MOST_READ: Final = 10_000
"""The number of offered devices, and of claimed serial numbers, that are read for all users, because a request of the
API takes at most 29 s."""
_CLAIMS_AT_ONCE: Final = 1000


class CreationKind(StrEnum):
    """The kinds, in the order in which they are listed."""

    ENROLMENT = "enrolment"
    TOKEN = "token"  # noqa: S105  # the name of a kind
    CLAIM_CERTIFICATE = "claim certificate"
    OFFER = "offer"
    SERIAL_NUMBER = "serial number"
    WEBHOOK = "webhook"
    TARGET = "target"


ENDED_BY: Final[Mapping[CreationKind, str]] = {
    CreationKind.ENROLMENT: "revokeEnrolment",
    CreationKind.TOKEN: "revokeEnrolmentToken",
    CreationKind.CLAIM_CERTIFICATE: "revokeClaimCertificate",
    CreationKind.OFFER: "withdrawTransfers",
    CreationKind.SERIAL_NUMBER: "withdrawSerialNumberClaim",
    CreationKind.WEBHOOK: "removeWebhook",
    CreationKind.TARGET: "archiveTarget",
}
"""The operation of the API that ends a creation."""


@dataclass(frozen=True)
class Creation:
    """Something that a user, `actor`, created `at` a time (ISO 8601, UTC). `name` is what the operation that ends it
    takes; `detail` describes it."""

    kind: CreationKind
    name: str
    actor: str
    at: str
    detail: str


def read_creations(services: Services) -> Mapping[str, Sequence[Creation]]:
    """Return what each actor has created and that still works: by kind, the newest first."""
    at, enrolments = timestamp(now()), services.enrolments.all()
    usable = [each for each in enrolments if _admits(each, at)]
    tokens = (
        token
        for each in usable
        if each.door is Door.TOKEN
        for token in services.enrolment_tokens.of_enrolment(each.name)
    )
    found = [
        *of_enrolments(usable),
        *of_tokens(tokens, at),
        *of_certificates(services.claim_certificates.all(), {each.name for each in usable}, at),
        *of_offers(_offered(), at),
        *_serial_claims(services),
        *_webhooks(services),
        *of_targets(services.targets.all()),
    ]
    return by_actor(found)


def _admits(enrolment: Enrolment, at: str) -> bool:
    """Return whether an enrolment admits devices, now or when it is resumed or begins."""
    return enrolment.state is not EnrolmentState.REVOKED and (enrolment.ends is None or at < enrolment.ends)


def by_actor(found: Iterable[Creation]) -> Mapping[str, Sequence[Creation]]:
    """Group creations by actor: by kind, the newest first, at most `MOST_OF_A_KIND` of each kind."""
    groups: defaultdict[str, list[Creation]] = defaultdict(list)
    for each in sorted(found, key=lambda each: (each.at, each.name), reverse=True):
        groups[each.actor].append(each)
    return {
        actor: [
            each
            for kind in CreationKind
            for each in islice((each for each in created if each.kind is kind), MOST_OF_A_KIND)
        ]
        for actor, created in groups.items()
    }


def of_enrolments(enrolments: Iterable[Enrolment]) -> Iterator[Creation]:
    for each in enrolments:
        detail = f"door {each.door.value}, {each.state.value}"
        yield Creation(CreationKind.ENROLMENT, each.name, each.createdby, each.createdat, detail)


def of_tokens(tokens: Iterable[EnrolmentToken], at: str) -> Iterator[Creation]:
    """Yield the tokens that still issue certificates. One that is used up does so for devices without an answer."""
    for each in tokens:
        if each.state(at) in (TokenState.ACTIVE, TokenState.USED_UP):
            detail = f"of {each.enrolment}, {each.uses} of {each.limit} uses, expires {each.expires}"
            yield Creation(CreationKind.TOKEN, each.id, each.createdby, each.createdat, detail)


def of_certificates(certificates: Iterable[ClaimCertificate], usable: set[str], at: str) -> Iterator[Creation]:
    for each in certificates:
        if each.revokedat is None and each.expires > at and each.enrolment in usable:
            detail = f"of {each.enrolment}, expires {each.expires}"
            yield Creation(CreationKind.CLAIM_CERTIFICATE, each.certid, each.createdby, each.createdat, detail)


def of_offers(devices: Iterable[Device], at: str) -> Iterator[Creation]:
    """Yield each open offer once, with the number of its devices."""
    offers: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for device in devices:
        if device.transfer is not None and device.transfer.is_open(at):
            offers[device.transfer.offer, device.transfer.actor, device.transfer.partner].append(device.transfer.at)
    for (offer, actor, partner), times in offers.items():
        detail = f"to {partner}, {len(times)} {'device' if len(times) == 1 else 'devices'}"
        yield Creation(CreationKind.OFFER, offer, actor, max(times), detail)


def _offered() -> Iterator[Device]:
    cursor: str | None = None
    for _ in range(0, MOST_READ, MAX_PAGE):
        page = transfers(TransferStep.OFFERED, None, MAX_PAGE, cursor)
        yield from page.devices
        cursor = page.cursor
        if cursor is None:
            return


def _serial_claims(services: Services) -> Iterator[Creation]:
    after: ThingName | None = None
    for _ in range(0, MOST_READ, _CLAIMS_AT_ONCE):
        page = services.serial_claims.page(_CLAIMS_AT_ONCE, after)
        for each in page.claims:
            detail = f"for {each.request.target}"
            yield Creation(CreationKind.SERIAL_NUMBER, each.serial, each.actor, each.at, detail)
        after = page.following
        if after is None:
            return


def _webhooks(services: Services) -> Iterator[Creation]:
    for each in services.webhooks.webhooks.all():
        detail = f"{each.url}, {each.state.value}"
        yield Creation(CreationKind.WEBHOOK, each.id, each.created_by, each.created_at, detail)


def of_targets(registered: Iterable[RegisteredTarget]) -> Iterator[Creation]:
    """Yield the targets for which devices can be claimed."""
    for each in registered:
        if each.archivedat is None and not each.removed:
            yield Creation(CreationKind.TARGET, str(each.target), each.createdby, each.createdat, each.name)
