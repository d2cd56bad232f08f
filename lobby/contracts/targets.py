"""The messages about targets and devices in them: one frozen dataclass for each request and each response.

The admin API calls the surveyor and the reconciler, and arrivals sends messages to the marker. `inspector` has the
messages between the reconciler and the inspector. Both sides use the same class, so they cannot disagree. Decoding
raises `MalformedMessage` for any other shape, and `InvalidInput` for an invalid target, fingerprint or thing name.
`lobby.contracts.invocation.invoke` sends requests.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from lobby.contracts.invocation import (
    Body,
    MalformedMessage,
    field,
    flag_field,
    list_of,
    optional_text_field,
    text_field,
)
from lobby.names import (
    Fingerprint,
    Target,
    ThingName,
    parse_fingerprint,
    parse_profile,
    parse_target,
    parse_thing_name,
    shown,
)

UNPUBLISHED: Final = "unpublished"
"""In a message of the on-failure queue: the history entry whose event was not published, by fingerprint and number."""

# Admin API → surveyor


@dataclass(frozen=True)
class SurveyFinding:
    """One step of a survey. `step` names the permission or the policy; `message` states what to do if it failed."""

    step: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Survey:
    """The result of a survey: the parts of a target that exist and those that are missing. `endpoint` is the target's
    AWS IoT host name, if it could be read."""

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
        return target_fields(self.target)

    @staticmethod
    def decode(event: Body) -> "SurveyRequest":
        return SurveyRequest(target_of(event))

    def decode_response(self, body: Body) -> Survey:
        findings = list_of(body, "findings", _survey_finding)
        return Survey(findings, optional_text_field(body, "endpoint"))


def _survey_finding(fields: Body) -> SurveyFinding:
    return SurveyFinding(text_field(fields, "step"), flag_field(fields, "ok"), text_field(fields, "message"))


# Arrivals → marker


@dataclass(frozen=True)
class ArrivalMark:
    """A message of the marks' queue: the device is known to have arrived in `target` with this claim. `certificate` is
    the one in use, if it is not the device's first. `awaited`: the target's rule must report the device again, because
    it has left the target without an operation, or its connections are taken over."""

    target: Target
    certid: Fingerprint
    name: ThingName
    generation: int
    profile: str
    certificate: Fingerprint | None = None
    awaited: bool = False

    def encode(self) -> dict[str, Any]:
        device = {"certid": self.certid, "name": self.name, "generation": self.generation, "profile": self.profile}
        renewed = {"certificate": self.certificate} if self.certificate else {}
        return {**target_fields(self.target), **device, **renewed, **({"awaited": True} if self.awaited else {})}

    @staticmethod
    def decode(body: Body) -> "ArrivalMark":
        generation = field(body, "generation")
        if type(generation) is not int or generation < 0:
            raise MalformedMessage(f"got generation {shown(generation)}, want a whole number")
        certid, name = parse_fingerprint(body.get("certid")), parse_thing_name(body.get("name"))
        renewed = optional_text_field(body, "certificate") if "certificate" in body else None
        certificate = None if renewed is None else parse_fingerprint(renewed)
        profile, awaited = parse_profile(body.get("profile")), body.get("awaited") is True
        return ArrivalMark(target_of(body), certid, name, generation, profile, certificate, awaited)


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
    """Compare a page of `target` with the ledger. Differences are repaired in the name of `repair_as` (None: only
    reported)."""

    target: Target
    cursor: str | None = None
    repair_as: str | None = None

    def encode(self) -> dict[str, Any]:
        return {**target_fields(self.target), "cursor": self.cursor, "repair_as": self.repair_as}

    @staticmethod
    def decode(event: Body) -> "ComparisonRequest":
        return ComparisonRequest(
            target_of(event), optional_text_field(event, "cursor"), optional_text_field(event, "repair_as")
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


# Targets


def target_fields(target: Target) -> dict[str, Any]:
    return {"account": target.account, "region": target.region}


def target_of(event: Body) -> Target:
    return parse_target(event.get("account"), event.get("region"))
