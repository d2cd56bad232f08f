"""The manifest of a campaign: its devices, each with its generation and its target at the time when the list was made.
A page is JSON lines. A change is conditional on the generation, so a device that others changed in the meantime is
skipped. An undo returns the device to the recorded target. The digest of each page is recorded, so that a changed
manifest is detected.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lobby import strict_json
from lobby.domain.campaigns.campaign import Campaign, SourceKind
from lobby.domain.campaigns.campaign_progress import CHANGED_SINCE
from lobby.domain.campaigns.campaign_rules import INVALID_MANIFEST
from lobby.domain.change_requests import ChangeOperation, TargetRegister, change_of
from lobby.domain.changes import Authorised, Change, Chosen, Claim, Configure, Move, Release, generation_of
from lobby.domain.device import Device
from lobby.domain.states import Event
from lobby.errors import Conflict, InvalidInput, LobbyError
from lobby.names import CampaignName, Fingerprint, Target, parse_fingerprint, parse_target_key
from lobby.wire import Config


@dataclass(frozen=True)
class Place:
    """A claim of a device: target, profile and configuration."""

    target: Target
    profile: str
    config: Config


@dataclass(frozen=True)
class ManifestLine:
    """`place` is the device's place when the list was made; `goal` is where an undo brings the device. None: no
    claim."""

    certid: Fingerprint
    generation: int
    place: Place | None = None
    goal: Place | None = None

    @property
    def chosen(self) -> Chosen:
        return Chosen(self.certid, self.generation)


def place_of(device: Device | None) -> Place | None:
    if device is None or device.target is None:
        return None
    return Place(device.target, device.profile, device.config)


def encode_page(lines: Sequence[ManifestLine]) -> bytes:
    return b"".join(json.dumps(_fields(line), separators=(",", ":")).encode() + b"\n" for line in lines)


def decode_page(body: bytes, digest: str) -> tuple[ManifestLine, ...]:
    """Return the lines of a page. Raise `InvalidInput` INVALID_MANIFEST if it is not the page that was recorded."""
    if digest_of(body) != digest:
        raise InvalidInput(INVALID_MANIFEST, f"got a page with SHA-256 {digest_of(body)}, want {digest}")
    return tuple(_line(strict_json.loads(line)) for line in body.splitlines())


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Selected(Protocol):
    """A device of a campaign: a line of the manifest, or a device that is about to become a line."""

    @property
    def chosen(self) -> Chosen: ...

    @property
    def goal(self) -> Place | None: ...


@dataclass(frozen=True)
class InCampaign:
    """A change that marks the device with its campaign. `generations` come from the manifest. A device in another
    generation is refused for that reason first."""

    change: Change
    campaign: CampaignName
    generations: Mapping[Fingerprint, int | None]

    @property
    def event(self) -> Event:
        return self.change.event

    @property
    def why(self) -> str | None:
        return self.change.why

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:
        try:
            changed = self.change.after(device, certid, actor, at)
        except Conflict as conflict:
            if self.generations[certid] in (None, generation_of(device)):
                raise
            raise Conflict(CHANGED_SINCE, f"got {certid}, which was changed since: {conflict.message}") from None
        return changed if changed is None or changed == device else replace(changed, campaign=self.campaign)


@dataclass(frozen=True)
class PerDevice:
    """A change that differs for each device. `change_for` returns it, or raises the reason for a refusal."""

    event: Event
    change_for: Callable[[Fingerprint], Change]
    why: str | None = None

    def after(self, device: Device | None, certid: Fingerprint, actor: str, at: str) -> Device | None:
        return self.change_for(certid).after(device, certid, actor, at)


def change_for_page(campaign: Campaign, devices: Sequence[Selected], targets: TargetRegister) -> Change:
    """Return the change of these devices, with the targets as they are now. If the change is impossible, for example
    because the target is archived, each device gets that reason as its result."""
    if campaign.source.kind is SourceKind.CHANGED:
        change: Change = _undo(campaign, {each.chosen.certid: each.goal for each in devices}, targets)
    else:
        change = _requested(campaign, targets)
    generations = {each.chosen.certid: each.chosen.generation for each in devices}
    return InCampaign(Authorised(change, campaign.author), campaign.name, generations)


def _requested(campaign: Campaign, targets: TargetRegister) -> Change:
    event = campaign.request.operation.event
    try:
        if campaign.request.target is not None:
            campaign.author.require_target(campaign.request.target)
        return change_of(campaign.request, targets)
    except LobbyError as error:
        return PerDevice(event, _raising(error))


def _undo(campaign: Campaign, goals: Mapping[Fingerprint, Place | None], targets: TargetRegister) -> PerDevice:
    operation = campaign.request.operation
    registered = {each.target: each for each in targets.all()}

    def change_for(certid: Fingerprint) -> Change:
        goal = goals[certid]
        if goal is None:
            return Release()
        campaign.author.require_target(goal.target)
        if operation is ChangeOperation.CONFIGURE:
            return Configure(registered, goal.profile, goal.config)
        target = registered.get(goal.target) or targets.get(goal.target)
        kind = Claim if operation is ChangeOperation.CLAIM else Move
        return kind(target, goal.profile, goal.config)

    return PerDevice(operation.event, change_for)


def _raising(error: LobbyError) -> Callable[[Fingerprint], Change]:
    def change_for(_certid: Fingerprint) -> Change:
        raise error

    return change_for


def _fields(line: ManifestLine) -> dict[str, Any]:
    fields = {
        "certid": line.certid,
        "generation": line.generation,
        "place": _place_fields(line.place),
        "goal": _place_fields(line.goal),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _place_fields(place: Place | None) -> dict[str, Any] | None:
    return {"target": str(place.target), "profile": place.profile, "config": place.config} if place else None


def _line(fields: Mapping[str, Any]) -> ManifestLine:
    return ManifestLine(
        parse_fingerprint(fields["certid"]),
        int(fields["generation"]),
        _place(fields.get("place")),
        _place(fields.get("goal")),
    )


def _place(fields: Mapping[str, Any] | None) -> Place | None:
    return Place(parse_target_key(fields["target"]), fields["profile"], fields["config"]) if fields else None
