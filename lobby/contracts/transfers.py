"""The message between the admin API and the registrar that carries out an acceptance of devices of another lobby.

Both sides use the same classes, as in `targets`. Decoding raises `MalformedMessage`, or `InvalidInput` for an
invalid name, id or fingerprint.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from lobby.contracts.invocation import Body, list_of, optional_text_field, text_field
from lobby.domain.transfers.transfer import parse_offer_id
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name


@dataclass(frozen=True)
class DeviceToAccept:
    """A device as the other lobby offers it: its fingerprint there, its name, and the certificate in use in PEM."""

    certid: Fingerprint
    name: ThingName
    pem: str

    @staticmethod
    def decode(body: Body) -> "DeviceToAccept":
        certid, name = parse_fingerprint(body.get("certid")), parse_thing_name(body.get("name"))
        return DeviceToAccept(certid, name, text_field(body, "pem"))


@dataclass(frozen=True)
class AcceptedDevice:
    """The result for one device: its fingerprint in this lobby, or None if it was refused with a code and a message."""

    certid: Fingerprint
    here: Fingerprint | None
    code: str | None = None
    message: str | None = None

    @staticmethod
    def decode(body: Body) -> "AcceptedDevice":
        here = optional_text_field(body, "here")
        code, message = optional_text_field(body, "code"), optional_text_field(body, "message")
        return AcceptedDevice(
            parse_fingerprint(body.get("certid")), parse_fingerprint(here) if here else None, code, message
        )


@dataclass(frozen=True)
class AcceptDevices:
    """Admit devices of another lobby by its offer, which the API has verified. `origin` is the other lobby's key, and
    `issued` the time of the offer."""

    operation: ClassVar[str] = "accept"
    offer: str
    origin: str
    issued: str
    expires: str
    actor: str
    devices: tuple[DeviceToAccept, ...]

    def encode(self) -> dict[str, Any]:
        return {**vars(self), "operation": self.operation, "devices": [dict(vars(each)) for each in self.devices]}

    @staticmethod
    def decode(body: Body) -> "AcceptDevices":
        return AcceptDevices(
            parse_offer_id(body.get("offer")),
            text_field(body, "origin"),
            text_field(body, "issued"),
            text_field(body, "expires"),
            text_field(body, "actor"),
            list_of(body, "devices", DeviceToAccept.decode),
        )

    def decode_response(self, body: Body) -> tuple[AcceptedDevice, ...]:
        return list_of(body, "results", AcceptedDevice.decode)


def encode_results(results: tuple[AcceptedDevice, ...]) -> dict[str, Any]:
    return {"results": [dict(vars(each)) for each in results]}
