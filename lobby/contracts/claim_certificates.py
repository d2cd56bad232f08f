"""The messages between the admin API and the registrar, which manages claim certificates in AWS IoT.

Both sides use the same classes, as in `targets`. Decoding raises `MalformedMessage`, or `InvalidInput` for an invalid
name or fingerprint.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from lobby.contracts.invocation import Body, MalformedMessage, flag_field, optional_text_field, text_field
from lobby.names import EnrolmentName, Fingerprint, parse_enrolment_name, parse_fingerprint


@dataclass(frozen=True)
class AddedClaimCertificate:
    """A claim certificate that is registered, with its PEM."""

    certid: Fingerprint
    pem: str

    def encode(self) -> dict[str, Any]:
        return {"certid": self.certid, "pem": self.pem}


@dataclass(frozen=True)
class AddClaimCertificate:
    """Register a claim certificate of an enrolment: AWS IoT issues it for a certificate signing request, or the
    operator supplies it. `creates_keys`: devices may also have their keys created by AWS IoT."""

    operation: ClassVar[str] = "add"
    enrolment: EnrolmentName
    actor: str
    csr: str | None = None
    pem: str | None = None
    creates_keys: bool = False

    def encode(self) -> dict[str, Any]:
        return {"operation": self.operation, **vars(self)}

    @staticmethod
    def decode(body: Body) -> "AddClaimCertificate":
        return AddClaimCertificate(
            parse_enrolment_name(body.get("enrolment")),
            text_field(body, "actor"),
            optional_text_field(body, "csr"),
            optional_text_field(body, "pem"),
            flag_field(body, "creates_keys"),
        )

    def decode_response(self, body: Body) -> AddedClaimCertificate:
        return AddedClaimCertificate(parse_fingerprint(body.get("certid")), text_field(body, "pem"))


@dataclass(frozen=True)
class RevokeClaimCertificate:
    """Revoke a claim certificate permanently."""

    operation: ClassVar[str] = "revoke"
    certid: Fingerprint
    actor: str

    def encode(self) -> dict[str, Any]:
        return {"operation": self.operation, **vars(self)}

    @staticmethod
    def decode(body: Body) -> "RevokeClaimCertificate":
        return RevokeClaimCertificate(parse_fingerprint(body.get("certid")), text_field(body, "actor"))

    def decode_response(self, _body: Body) -> None:
        return None


@dataclass(frozen=True)
class AlignClaimCertificates:
    """Align the claim certificates of an enrolment in AWS IoT with its state."""

    operation: ClassVar[str] = "align"
    enrolment: EnrolmentName

    def encode(self) -> dict[str, Any]:
        return {"operation": self.operation, **vars(self)}

    @staticmethod
    def decode(body: Body) -> "AlignClaimCertificates":
        return AlignClaimCertificates(parse_enrolment_name(body.get("enrolment")))

    def decode_response(self, _body: Body) -> None:
        return None


CertificateRequest = AddClaimCertificate | RevokeClaimCertificate | AlignClaimCertificates
_REQUESTS: tuple[type[CertificateRequest], ...] = (AddClaimCertificate, RevokeClaimCertificate, AlignClaimCertificates)


def decode_certificate_request(body: Body) -> CertificateRequest:
    """Return the request in a message. Raise `MalformedMessage` for an unknown operation."""
    for kind in _REQUESTS:
        if body.get("operation") == kind.operation:
            return kind.decode(body)
    raise MalformedMessage(f"got operation {body.get('operation')!r}, want one of the registrar's")
