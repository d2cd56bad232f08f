"""The messages between the reconciler and the inspector: one frozen dataclass for each request and each response.

The inspector reads one target on behalf of the reconciler: single devices, or pages of AWS IoT's lists. It deactivates
certificates one at a time. Decoding raises `MalformedMessage` for any other shape, and `InvalidInput` for an invalid
target, fingerprint, profile or thing name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any, Final

from lobby.contracts.invocation import (
    Body,
    MalformedMessage,
    as_text,
    field,
    list_field,
    list_of,
    optional_text_field,
    text_field,
)
from lobby.contracts.targets import target_fields, target_of
from lobby.domain.targets.thing import ThingFacts
from lobby.names import Fingerprint, Target, ThingName, parse_fingerprint, parse_profile, parse_thing_name, shown

MOST_PAGES: Final = 50
"""Pages of one request."""


@dataclass(frozen=True)
class Facts:
    """The registration of one device in a target's AWS IoT, by its first certificate. `status`, `things` and `policies`
    belong to the certificate in use; `status` is None if the certificate is not registered there. `holder` is the
    `certid` attribute of the thing with the device's name: None if the thing does not exist, empty if the attribute
    does not. `thing` has the properties of this thing, and `claim` its attribute `claim`, if it belongs to this
    device."""

    certid: Fingerprint
    status: str | None
    things: tuple[str, ...]
    policies: tuple[str, ...]
    holder: str | None
    thing: ThingFacts | None = None
    claim: str | None = None


@dataclass(frozen=True)
class Thing:
    """A thing that names a certificate. The target's owner can write anything there, so `certid` and `claim` are not
    validated. `attributes` has only the attributes that a profile of the lobby names."""

    name: str
    certid: str
    thing_type: str | None = None
    attributes: Mapping[str, str] = dataclass_field(default_factory=dict)
    claim: str | None = None


@dataclass(frozen=True)
class FactsRequest:
    """Look up devices by certificate, each with the name of its thing. `renewed` has the certificates in use of devices
    that have renewed their first one. The response has the facts in the same order. If time is short, it has fewer than
    requested, but at least one."""

    target: Target
    devices: tuple[tuple[Fingerprint, ThingName], ...]
    renewed: Mapping[Fingerprint, Fingerprint] = dataclass_field(default_factory=dict)

    def encode(self) -> dict[str, Any]:
        devices = [
            {"certid": certid, "name": name} | ({"current": self.renewed[certid]} if certid in self.renewed else {})
            for certid, name in self.devices
        ]
        return {**target_fields(self.target), "ask": "devices", "devices": devices}

    @staticmethod
    def encode_response(facts: Sequence[Facts]) -> dict[str, Any]:
        return {"facts": [asdict(each) for each in facts]}

    def decode_response(self, body: Body) -> tuple[Facts, ...]:
        return list_of(body, "facts", _facts)


def _facts(fields: Body) -> Facts:
    things, policies = (tuple(map(as_text, list_field(fields, key))) for key in ("things", "policies"))
    status, holder, claim = (optional_text_field(fields, key) for key in ("status", "holder", "claim"))
    thing = _thing_facts(field(fields, "thing"))
    return Facts(parse_fingerprint(field(fields, "certid")), status, things, policies, holder, thing, claim)


def _thing_facts(fields: Any) -> ThingFacts | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise MalformedMessage(f"got thing {shown(fields)}, want an object with its attributes, or null")
    thing_type, billing_group = (optional_text_field(fields, key) for key in ("thing_type", "billing_group"))
    groups = tuple(map(as_text, list_field(fields, "groups")))
    others = fields.get("others", 0)  # an inspector of an earlier version does not count them
    if not isinstance(others, int):
        raise MalformedMessage(f"got others {shown(others)}, want a number")
    return ThingFacts(thing_type, _attributes(fields), groups, billing_group, others)


def _attributes(fields: Body) -> dict[str, str]:
    attributes = fields.get("attributes")
    if not isinstance(attributes, dict):
        raise MalformedMessage(f"got thing {shown(dict(fields))}, want an object with its attributes")
    return {as_text(name): as_text(value) for name, value in attributes.items()}


@dataclass(frozen=True)
class ThingsRequest:
    """List at most `pages` pages of the things that name a certificate. The response has at least one page, fewer than
    requested if time is short, and the token of the next page."""

    target: Target
    token: str | None
    pages: int = 1

    def encode(self) -> dict[str, Any]:
        return {**target_fields(self.target), "ask": "things", "token": self.token, "pages": self.pages}

    @staticmethod
    def encode_response(things: Sequence[Thing], token: str | None) -> dict[str, Any]:
        return {"things": [asdict(thing) for thing in things], "token": token}

    def decode_response(self, body: Body) -> tuple[tuple[Thing, ...], str | None]:
        return list_of(body, "things", _thing), optional_text_field(body, "token")


def _thing(fields: Body) -> Thing:
    name, certid = text_field(fields, "name"), text_field(fields, "certid")
    thing_type, claim = (optional_text_field(fields, key) for key in ("thing_type", "claim"))
    return Thing(name, certid, thing_type, _attributes(fields), claim)


@dataclass(frozen=True)
class CertificatesRequest:
    """List at most `pages` pages of certificates: those that have the policy of `profile`, or the ACTIVE ones if it is
    None. A profile that has no policy in the target has no certificates. The response is as for `ThingsRequest`."""

    target: Target
    profile: str | None
    token: str | None
    pages: int = 1

    def encode(self) -> dict[str, Any]:
        asked = {"ask": "certificates", "profile": self.profile, "token": self.token, "pages": self.pages}
        return {**target_fields(self.target), **asked}

    @staticmethod
    def encode_response(certids: Sequence[Fingerprint], token: str | None) -> dict[str, Any]:
        return {"certids": list(certids), "token": token}

    def decode_response(self, body: Body) -> tuple[tuple[Fingerprint, ...], str | None]:
        certids = tuple(parse_fingerprint(as_text(each)) for each in list_field(body, "certids"))
        return certids, optional_text_field(body, "token")


@dataclass(frozen=True)
class DeactivateRequest:
    """Set a certificate INACTIVE in the target."""

    target: Target
    certid: Fingerprint

    def encode(self) -> dict[str, Any]:
        return {**target_fields(self.target), "ask": "deactivate", "certid": self.certid}

    def decode_response(self, body: Body) -> None:
        if body:
            raise MalformedMessage(f"got {shown(dict(body))}, want an empty object")


InspectorRequest = FactsRequest | ThingsRequest | CertificatesRequest | DeactivateRequest


def decode_inspector_request(event: Body) -> InspectorRequest:
    target, ask = target_of(event), event.get("ask")
    if ask == "devices":
        renewed = dict(filter(None, list_of(event, "devices", _renewed)))
        return FactsRequest(target, list_of(event, "devices", _device), renewed)
    if ask == "things":
        return ThingsRequest(target, optional_text_field(event, "token"), _pages(event))
    if ask == "certificates":
        profile = optional_text_field(event, "profile")
        known = None if profile is None else parse_profile(profile)
        return CertificatesRequest(target, known, optional_text_field(event, "token"), _pages(event))
    if ask == "deactivate":
        return DeactivateRequest(target, parse_fingerprint(event.get("certid")))
    raise MalformedMessage(f"got {shown(ask)}, want devices, things, certificates or deactivate")


def _device(fields: Body) -> tuple[Fingerprint, ThingName]:
    return parse_fingerprint(fields.get("certid")), parse_thing_name(fields.get("name"))


def _renewed(fields: Body) -> tuple[Fingerprint, Fingerprint] | None:
    if "current" not in fields:
        return None
    return parse_fingerprint(fields.get("certid")), parse_fingerprint(fields.get("current"))


def _pages(event: Body) -> int:
    pages = event.get("pages", 1)
    if type(pages) is not int or not 1 <= pages <= MOST_PAGES:
        raise MalformedMessage(f"got {shown(pages)} pages, want 1 to {MOST_PAGES}")
    return pages
