"""The messages between Lambdas: one frozen dataclass for each request and each response.

The admin API asks the surveyor and the reconciler; the reconciler asks the inspector. Both sides use the same class, so
they cannot disagree. Decoding raises `MalformedMessage` for any other shape, and `InvalidInput` where a target, a
fingerprint or a thing name breaks its rule. `lobby.invocation.invoke` sends requests.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lobby.domain.thing import ThingFacts
from lobby.invocation import (
    Body,
    MalformedMessage,
    as_text,
    field,
    flag_field,
    list_field,
    list_of,
    optional_text_field,
    text_field,
)
from lobby.names import Fingerprint, Target, ThingName, parse_fingerprint, parse_target, parse_thing_name, shown

# Admin API → surveyor


@dataclass(frozen=True)
class SurveyFinding:
    """One step of a survey. `step` names the permission or the policy; `message` states what to do if it failed."""

    step: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Survey:
    """What exists and what is missing in a target. `endpoint` is its AWS IoT host name, if it could be read."""

    findings: tuple[SurveyFinding, ...]
    endpoint: str | None

    @property
    def ok(self) -> bool:
        return bool(self.findings) and all(finding.ok for finding in self.findings)

    def encode(self) -> dict[str, Any]:
        return {"findings": [asdict(finding) for finding in self.findings], "endpoint": self.endpoint}


@dataclass(frozen=True)
class SurveyRequest:
    """Check whether devices can be commissioned in `target`."""

    target: Target

    def encode(self) -> dict[str, Any]:
        return _target_fields(self.target)

    @staticmethod
    def decode(event: Body) -> "SurveyRequest":
        return SurveyRequest(_target(event))

    def decode_response(self, body: Body) -> Survey:
        findings = list_of(body, "findings", _survey_finding)
        return Survey(findings, optional_text_field(body, "endpoint"))


def _survey_finding(fields: Body) -> SurveyFinding:
    return SurveyFinding(text_field(fields, "step"), flag_field(fields, "ok"), text_field(fields, "message"))


# Admin API → reconciler


@dataclass(frozen=True)
class ReportedDifference:
    """A difference between a target and the ledger. `repair` is the possible repair (None: none); `repaired` states
    whether it was started."""

    certid: str
    name: str | None
    code: str
    message: str
    repair: str | None
    repaired: bool


@dataclass(frozen=True)
class Comparison:
    """A page of a comparison. `compared` counts the devices looked up in the target; `cursor` is the start of the next
    page (None: this is the last)."""

    compared: int
    differences: tuple[ReportedDifference, ...]
    cursor: str | None

    def encode(self) -> dict[str, Any]:
        differences = [asdict(difference) for difference in self.differences]
        return {"compared": self.compared, "differences": differences, "cursor": self.cursor}


@dataclass(frozen=True)
class ComparisonRequest:
    """Compare a page of `target` with the ledger. `repair_as` is the actor to repair differences as (None: report
    only)."""

    target: Target
    cursor: str | None = None
    repair_as: str | None = None

    def encode(self) -> dict[str, Any]:
        return {**_target_fields(self.target), "cursor": self.cursor, "repair_as": self.repair_as}

    @staticmethod
    def decode(event: Body) -> "ComparisonRequest":
        return ComparisonRequest(
            _target(event), optional_text_field(event, "cursor"), optional_text_field(event, "repair_as")
        )

    def decode_response(self, body: Body) -> Comparison:
        compared, differences = field(body, "compared"), list_of(body, "differences", _reported_difference)
        if type(compared) is not int:
            raise MalformedMessage(f"got compared {shown(compared)}, want a number")
        return Comparison(compared, differences, optional_text_field(body, "cursor"))


def _reported_difference(fields: Body) -> ReportedDifference:
    certid, code, message = (text_field(fields, key) for key in ("certid", "code", "message"))
    name, repair = (optional_text_field(fields, key) for key in ("name", "repair"))
    return ReportedDifference(certid, name, code, message, repair, flag_field(fields, "repaired"))


# Reconciler → inspector


@dataclass(frozen=True)
class Facts:
    """What AWS IoT in a target has for one certificate. `status` is None if the certificate is not registered there.
    `holder` is the `certid` attribute of the thing that has the device's name: None if there is no such thing, empty
    if it has no such attribute. `thing` is what that thing has, if it belongs to this certificate."""

    certid: Fingerprint
    status: str | None
    things: tuple[str, ...]
    policies: tuple[str, ...]
    holder: str | None
    thing: ThingFacts | None = None


@dataclass(frozen=True)
class Thing:
    """A thing that names a certificate. The target's owner can write anything there, so `certid` is not validated."""

    name: str
    certid: str


@dataclass(frozen=True)
class FactsRequest:
    """Look up certificates, each with the name of its thing. The response has the facts in order, and fewer than
    requested if time is short, but at least one."""

    target: Target
    devices: tuple[tuple[Fingerprint, ThingName], ...]

    def encode(self) -> dict[str, Any]:
        devices = [{"certid": certid, "name": name} for certid, name in self.devices]
        return {**_target_fields(self.target), "ask": "devices", "devices": devices}

    @staticmethod
    def encode_response(facts: Sequence[Facts]) -> dict[str, Any]:
        return {"facts": [asdict(each) for each in facts]}

    def decode_response(self, body: Body) -> tuple[Facts, ...]:
        return list_of(body, "facts", _facts)


def _facts(fields: Body) -> Facts:
    things, policies = (tuple(map(as_text, list_field(fields, key))) for key in ("things", "policies"))
    status, holder = (optional_text_field(fields, key) for key in ("status", "holder"))
    thing = _thing_facts(field(fields, "thing"))
    return Facts(parse_fingerprint(field(fields, "certid")), status, things, policies, holder, thing)


def _thing_facts(fields: Any) -> ThingFacts | None:
    if fields is None:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("attributes"), dict):
        raise MalformedMessage(f"got thing {shown(fields)}, want an object with its attributes, or null")
    attributes = {as_text(name): as_text(value) for name, value in fields["attributes"].items()}
    thing_type, billing_group = (optional_text_field(fields, key) for key in ("thing_type", "billing_group"))
    return ThingFacts(thing_type, attributes, tuple(map(as_text, list_field(fields, "groups"))), billing_group)


@dataclass(frozen=True)
class ThingsRequest:
    """List a page of the things that name a certificate. The response has the token of the next page."""

    target: Target
    token: str | None

    def encode(self) -> dict[str, Any]:
        return {**_target_fields(self.target), "ask": "things", "token": self.token}

    @staticmethod
    def encode_response(things: Sequence[Thing], token: str | None) -> dict[str, Any]:
        return {"things": [asdict(thing) for thing in things], "token": token}

    def decode_response(self, body: Body) -> tuple[tuple[Thing, ...], str | None]:
        things = list_of(body, "things", lambda fields: Thing(text_field(fields, "name"), text_field(fields, "certid")))
        return things, optional_text_field(body, "token")


@dataclass(frozen=True)
class DeactivateRequest:
    """Set a certificate INACTIVE in the target."""

    target: Target
    certid: Fingerprint

    def encode(self) -> dict[str, Any]:
        return {**_target_fields(self.target), "ask": "deactivate", "certid": self.certid}

    def decode_response(self, body: Body) -> None:
        if body:
            raise MalformedMessage(f"got {shown(dict(body))}, want an empty object")


InspectorRequest = FactsRequest | ThingsRequest | DeactivateRequest


def decode_inspector_request(event: Body) -> InspectorRequest:
    target, ask = _target(event), event.get("ask")
    if ask == "devices":
        return FactsRequest(target, list_of(event, "devices", _device))
    if ask == "things":
        return ThingsRequest(target, optional_text_field(event, "token"))
    if ask == "deactivate":
        return DeactivateRequest(target, parse_fingerprint(event.get("certid")))
    raise MalformedMessage(f"got {shown(ask)}, want devices, things or deactivate")


def _device(fields: Body) -> tuple[Fingerprint, ThingName]:
    return parse_fingerprint(fields.get("certid")), parse_thing_name(fields.get("name"))


# Targets


def _target_fields(target: Target) -> dict[str, Any]:
    return {"account": target.account, "region": target.region}


def _target(event: Body) -> Target:
    return parse_target(event.get("account"), event.get("region"))
