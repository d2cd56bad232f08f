"""The two signed documents of a transfer: the offer of the old lobby, and the acceptance of the new one.

Both are JSON and signed like an exported history (`history_export`). The signed content names the format, so one
document cannot be used in place of the other. Reading rejects every other shape, more than 100 kB, more than
`MAX_DEVICES` devices, a device twice, and endpoints that a device would not follow.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from lobby import strict_json
from lobby.domain.transfers.transfer import MAX_DEVICES, parse_offer_id, parse_partner
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name, shown
from lobby.wire import NewLobby, parse_message

OFFER: Final = "device-lobby-offer/1"
ACCEPTANCE: Final = "device-lobby-acceptance/1"
MAX_BYTES: Final = 100_000
_MAX_PEM: Final = 8192
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_LOBBY: Final = re.compile(r"\d{12}/[a-z0-9-]{1,32}(/[a-z0-9-]{1,12})?")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class OfferedDevice:
    """`certid` identifies the device in the old lobby and on its label; `certificate` is the certificate in use, in
    PEM. `entries` and `head` are the number and hash of the last entry of its history in the old lobby."""

    certid: Fingerprint
    name: ThingName
    certificate: str
    entries: int
    head: str


@dataclass(frozen=True)
class Offer:
    """`lobby` is the key of the old lobby, `endpoint` its endpoint for devices, if it is known, and `to` the recipient
    as the offering user names it."""

    offer: str
    lobby: str
    endpoint: str | None
    to: str
    issued_at: str
    expires: str
    devices: tuple[OfferedDevice, ...]

    def document(self) -> Document:
        """Return the document without its signature."""
        return {**vars(self), "format": OFFER, "devices": [dict(vars(each)) for each in self.devices]}


@dataclass(frozen=True)
class Acceptance:
    """`offered_by` and `lobby` are the keys of the old and of the new lobby. `endpoint` is where devices connect to the
    new lobby: the host, and the port if it differs from the old lobby's port. `devices` are as in the offer."""

    offer: str
    offered_by: str
    lobby: str
    endpoint: str
    accepted_at: str
    devices: tuple[Fingerprint, ...]

    def document(self) -> Document:
        """Return the document without its signature."""
        return {**vars(self), "format": ACCEPTANCE, "devices": list(self.devices)}


def read_offer(document: Document) -> Offer:
    """Return the offer of a document whose signature was verified. Raise `InvalidInput` INVALID_DOCUMENT."""
    _require_shape(document, OFFER, Offer.__dataclass_fields__)
    devices = tuple(_device(each) for each in _device_list(document["devices"]))
    _require_once([each.certid for each in devices])
    return Offer(
        _read(parse_offer_id, document["offer"]),
        parse_lobby_key(document["lobby"]),
        None if document["endpoint"] is None else str(parse_endpoint(document["endpoint"])),
        _read(parse_partner, document["to"]),
        _time(document["issued_at"]),
        _time(document["expires"]),
        devices,
    )


def read_acceptance(document: Document) -> Acceptance:
    """Return the acceptance of a document whose signature was verified. Raise `InvalidInput` INVALID_DOCUMENT."""
    _require_shape(document, ACCEPTANCE, Acceptance.__dataclass_fields__)
    devices = tuple(_read(parse_fingerprint, each) for each in _device_list(document["devices"]))
    _require_once(devices)
    return Acceptance(
        _read(parse_offer_id, document["offer"]),
        parse_lobby_key(document["offered_by"]),
        parse_lobby_key(document["lobby"]),
        str(parse_endpoint(document["endpoint"])),
        _time(document["accepted_at"]),
        devices,
    )


def parse_document(text: str) -> Document:
    """Return the JSON object of a document, with an object as `signature`. Raise `InvalidInput` INVALID_DOCUMENT."""
    if (size := len(text.encode(errors="surrogatepass"))) > MAX_BYTES:
        _refuse(f"{size} bytes, want at most {MAX_BYTES}")
    try:
        document = strict_json.loads(text)
    except ValueError as error:
        _refuse(f"content that is not JSON ({shown(str(error))})")
    if not isinstance(document, dict) or not isinstance(document.get("signature"), dict):
        _refuse("JSON without a signature, want a signed object")
    return document


def parse_endpoint(text: object) -> NewLobby:
    """Return where devices connect to a lobby: `host` or `host:port`. Raise `InvalidInput` INVALID_DOCUMENT."""
    host, colon, port = text.partition(":") if isinstance(text, str) else ("", "", "")
    if colon and not (port.isascii() and port.isdigit() and len(port) <= 5):
        _refuse(f"endpoint {shown(text)}, want a host name, and a port after a colon if it is not the usual one")
    where: dict[str, object] = {"iotep": host} | ({"port": int(port)} if colon else {})
    lobby = _read(parse_message, json.dumps({"lobby": where}).encode())
    assert isinstance(lobby, NewLobby)  # noqa: S101  # a message with `lobby` only is one
    return lobby


def parse_lobby_key(text: object) -> str:
    """Return the key of a lobby: account/Region, and its id if it has one. Raise `InvalidInput` INVALID_DOCUMENT."""
    if not isinstance(text, str) or not _LOBBY.fullmatch(text):
        _refuse(f"lobby {shown(text)}, want account/Region and an id, if it has one")
    return text


def _device(body: object) -> OfferedDevice:
    if not isinstance(body, dict) or body.keys() != OfferedDevice.__dataclass_fields__.keys():
        _refuse("a device with other fields than an offer has")
    pem, entries, head = body["certificate"], body["entries"], body["head"]
    if not isinstance(pem, str) or len(pem) > _MAX_PEM:
        _refuse(f"a certificate that is not text of at most {_MAX_PEM} characters")
    if type(entries) is not int or entries < 1:
        _refuse(f"{shown(entries)} entries, want a number")
    return OfferedDevice(
        _read(parse_fingerprint, body["certid"]),
        _read(parse_thing_name, body["name"]),
        pem,
        entries,
        _read(parse_fingerprint, head),
    )


def _require_shape(document: Document, format_: str, fields: Mapping[str, Any]) -> None:
    if document.get("format") != format_:
        _refuse(f"format {shown(document.get('format'))}, want {format_}")
    if document.keys() != {*fields, "format", "signature"}:
        _refuse(f"other fields than {', '.join(fields)}")


def _device_list(values: object) -> Sequence[object]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_DEVICES:
        _refuse(f"devices that are not a list of 1 to {MAX_DEVICES}")
    return values


def _require_once(certids: Sequence[Fingerprint]) -> None:
    if len(set(certids)) != len(certids):
        _refuse("a device twice")


def _time(text: object) -> str:
    if not isinstance(text, str) or not _TIME.fullmatch(text) or not _is_time(text):
        _refuse(f"time {shown(text)}, want one such as 2026-12-31T00:00:00.000Z")
    return text


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read(parse: Any, value: object) -> Any:
    try:
        return parse(value)
    except InvalidInput as error:
        raise InvalidInput("INVALID_DOCUMENT", error.message) from None


def _refuse(what: str) -> NoReturn:
    raise InvalidInput("INVALID_DOCUMENT", f"got {what}")
