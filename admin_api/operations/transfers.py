"""Transfers of devices between lobbies: offer, withdraw, accept, complete.

A document of another lobby is first verified with the key that the user names. Values that apply to all devices are
validated next. Then each device has its own result, and repeating an interrupted request completes it. The registrar
changes certificates in AWS IoT; the API has no permission for this.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.chunks import chunks
from lobby.contracts.transfers import AcceptDevices, AcceptedDevice, DeviceToAccept
from lobby.deployment import NAMES
from lobby.domain.device import Device
from lobby.domain.history.history_export import digest, signed
from lobby.domain.transfers.document_signature import parse_key_fingerprint, require_signed
from lobby.domain.transfers.transfer import (
    MAX_ANSWER_DAYS,
    MAX_DEVICES,
    MAX_VALID_DAYS,
    Transfer,
    TransferStep,
    parse_days,
    parse_offer_id,
    parse_partner,
)
from lobby.domain.transfers.transfer_documents import (
    ACCEPTANCE,
    MAX_BYTES,
    Acceptance,
    Document,
    Offer,
    OfferedDevice,
    parse_document,
    read_acceptance,
    read_offer,
)
from lobby.errors import Conflict, InvalidInput, LobbyError
from lobby.ledger.clock import now, timestamp
from lobby.names import Fingerprint, ThingName

_AT_ONCE: Final = 5
"""Devices in one request to the registrar. The time limit is checked between these requests."""
_ROOM_FOR_OFFER: Final = 2000
"""The maximum size of an offer without its devices, in bytes."""
_ROOM_FOR_DEVICE: Final = 500
"""The maximum size of a device in an offer without its certificate, in bytes: a name of 128 characters and two
fingerprints."""
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""The permitted difference between the clocks of two lobbies. An offer with a future time would stay newer than a later
transfer."""


@dataclass(frozen=True)
class Outcome:
    """The result for one device: its row, or the error."""

    certid: Fingerprint
    device: Device | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Transferred:
    """The results, and the signed document as text; None if it would name no device."""

    outcomes: tuple[Outcome, ...]
    document: str | None = None


def offer(
    services: Services, caller: Caller, certids: Sequence[Fingerprint], to: str, offer_id: str, days: int
) -> Transferred:
    """Offer devices. Raise `InvalidInput` INVALID_COUNT, INVALID_NAME, INVALID_OFFER, INVALID_DAYS or
    OFFER_TOO_LARGE."""
    chosen, at = _chosen(certids), now()
    partner, expires = parse_partner(to), timestamp(at + parse_days(days, MAX_VALID_DAYS))
    offered = Transfer(TransferStep.OFFERED, parse_offer_id(offer_id), partner, timestamp(at), caller.actor, expires)
    pems = _certificates(services, chosen)
    outcomes = _each(chosen, lambda certid: services.ledger.offer(certid, offered))
    rows = [each.device for each in outcomes if each.device is not None]
    if not rows:
        return Transferred(outcomes)
    ends = [row.transfer.expires for row in rows if row.transfer is not None]
    devices = tuple(_offered(services, row, pems) for row in rows)
    endpoint = services.device_endpoint
    document = Offer(offered.offer, own_key(services), endpoint, partner, timestamp(at), min(ends), devices)
    return Transferred(outcomes, _signed(services, document.document()))


def withdraw(
    services: Services, caller: Caller, certids: Sequence[Fingerprint], offer_id: str | None = None
) -> Transferred:
    """Withdraw offers. An admin can also withdraw completed transfers. With `offer_id`, withdraw only this offer, and
    no completed transfer. Raise `InvalidInput` INVALID_COUNT or INVALID_OFFER."""
    chosen = _chosen(certids)
    only = None if offer_id is None else parse_offer_id(offer_id)

    def withdrawn(certid: Fingerprint) -> Device:
        return services.ledger.withdraw(certid, caller.actor, only, also_completed=caller.is_admin)

    return Transferred(_each(chosen, withdrawn))


def accept(
    services: Services, caller: Caller, text: str, key: str, time_is_up: Callable[[], bool] = lambda: False
) -> Transferred:
    """Accept the devices of an offer. Raise `InvalidInput` INVALID_DOCUMENT, INVALID_KEY, SIGNATURE_INVALID or
    UNTRUSTED_KEY, or `Conflict` OFFER_EXPIRED, OWN_OFFER or NO_ENDPOINT."""
    offered, at = read_offer(verified(text, key)), now()
    if offered.issued_at > timestamp(at + _CLOCKS_DIFFER):
        raise InvalidInput(
            "INVALID_DOCUMENT", f"got an offer of {offered.issued_at}, want one that is not of the future"
        )
    if timestamp(at) >= offered.expires:
        raise Conflict("OFFER_EXPIRED", f"got an offer that ended at {offered.expires}, want a new one")
    if offered.lobby == own_key(services):
        raise Conflict("OWN_OFFER", f"got an offer of {offered.lobby}, which is this lobby, want another one's")
    if services.device_endpoint is None:
        raise Conflict("NO_ENDPOINT", "got a lobby that does not know its endpoint; want `./deploy.sh aws` run again")
    results: list[AcceptedDevice] = []
    for some in chunks(offered.devices, _AT_ONCE):
        results += _not_tried(some) if time_is_up() else _accepted(services, caller, offered, some)
    accepted = tuple(each.certid for each in results if each.here is not None)
    outcomes = tuple(
        Outcome(each.certid, services.ledger.find(each.here) if each.here else None, each.code, each.message)
        for each in results
    )
    if not accepted:
        return Transferred(outcomes)
    own = own_key(services)
    document = Acceptance(offered.offer, offered.lobby, own, services.device_endpoint, timestamp(at), accepted)
    return Transferred(outcomes, _signed(services, document.document()))


def complete(services: Services, caller: Caller, text: str, key: str, days: int) -> Transferred:
    """Complete the transfer of devices that another lobby has accepted. Raise as `accept`, `InvalidInput`
    INVALID_DAYS, or `Conflict` OTHER_LOBBY."""
    accepted, at = read_acceptance(verified(text, key)), now()
    if accepted.offered_by != own_key(services) or accepted.lobby == own_key(services):
        message = f"got an acceptance by {accepted.lobby} of an offer of {accepted.offered_by}"
        raise Conflict("OTHER_LOBBY", f"{message}, want one by another lobby of an offer of {own_key(services)}")
    until = timestamp(at + parse_days(days, MAX_ANSWER_DAYS))
    completed = Transfer(
        TransferStep.COMPLETED,
        accepted.offer,
        accepted.lobby,
        timestamp(at),
        caller.actor,
        "",
        endpoint=accepted.endpoint,
        until=until,
    )
    return Transferred(_each(accepted.devices, lambda certid: services.ledger.transfer(certid, completed)))


def verified(text: str, key: str) -> Document:
    """Return the document after verifying that the named key has signed it. Raise `InvalidInput`."""
    trusted, document = parse_key_fingerprint(key), parse_document(text)
    require_signed(document, trusted)
    return document


def read(text: str, key: str) -> Offer | Acceptance:
    """Return the content of a verified document. Raise `InvalidInput`."""
    document = verified(text, key)
    return read_acceptance(document) if document.get("format") == ACCEPTANCE else read_offer(document)


def own_key(services: Services) -> str:
    """Return the name of this lobby in documents."""
    return NAMES.key(services.identity)


def _chosen(certids: Sequence[Fingerprint]) -> tuple[Fingerprint, ...]:
    chosen = tuple(dict.fromkeys(certids))
    if not 1 <= len(chosen) <= MAX_DEVICES:
        raise InvalidInput("INVALID_COUNT", f"got {len(chosen)} devices, want 1 to {MAX_DEVICES} at once")
    return chosen


def _each(certids: Iterable[Fingerprint], change: Callable[[Fingerprint], Device]) -> tuple[Outcome, ...]:
    def outcome(certid: Fingerprint) -> Outcome:
        try:
            return Outcome(certid, change(certid))
        except LobbyError as error:
            return Outcome(certid, None, error.code, error.message)

    return tuple(outcome(certid) for certid in certids)


def _certificates(services: Services, chosen: Sequence[Fingerprint]) -> Mapping[Fingerprint, str]:
    """Return the certificates in use, in PEM. Raise `InvalidInput` OFFER_TOO_LARGE if they do not all fit in an
    offer."""
    rows = [row for certid in chosen if (row := services.ledger.get(certid)) is not None]
    pems = {row.current: pem for row in rows if (pem := services.ledger.certificate(row)) is not None}
    size = len(json.dumps(list(pems.values()))) + _ROOM_FOR_OFFER + _ROOM_FOR_DEVICE * len(pems)
    if size > MAX_BYTES:
        got = f"got {len(pems)} devices, whose certificates need an offer of {size} bytes"
        raise InvalidInput("OFFER_TOO_LARGE", f"{got}, want at most {MAX_BYTES}: offer fewer devices at once")
    return pems


def _offered(services: Services, row: Device, pems: Mapping[Fingerprint, str]) -> OfferedDevice:
    pem = pems.get(row.current) or services.ledger.certificate(row)
    if pem is None or row.devicename is None:
        raise AssertionError(f"only admitted devices can be offered: {row.certid}")
    return OfferedDevice(row.certid, ThingName(row.devicename), pem, row.version, row.head)


def _accepted(
    services: Services, caller: Caller, offered: Offer, devices: Sequence[OfferedDevice]
) -> Sequence[AcceptedDevice]:
    wanted = tuple(DeviceToAccept(each.certid, each.name, each.certificate) for each in devices)
    request = AcceptDevices(offered.offer, offered.lobby, offered.issued_at, offered.expires, caller.actor, wanted)
    results: tuple[AcceptedDevice, ...] = services.ask_registrar(request)
    return results


def _not_tried(devices: Sequence[OfferedDevice]) -> Sequence[AcceptedDevice]:
    message = "there was no time left; accept the offer again"
    return [AcceptedDevice(each.certid, None, "NOT_TRIED", message) for each in devices]


def _signed(services: Services, document: Document) -> str:
    signature = services.sign_history(digest(document))
    return json.dumps(signed(document, signature), indent=1) + "\n"
