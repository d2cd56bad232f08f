"""The progress of a campaign: the outcome of each device, and the sums that decide how the campaign continues. The
outcome of a changed device follows from its row. A device that was changed again by others is no longer followed. Sums
are stored per page, so that a page can be checked any number of times.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lobby.domain.device import Device
from lobby.domain.lanes.lane import Lane, lane_to, main_lane, other_lanes
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.states import ADMITTED_STATES, DEACTIVATED_STATES, State
from lobby.names import CampaignName


class Outcome(StrEnum):
    """The outcome of a device in a campaign."""

    PENDING = "pending"
    """Not tried yet."""
    WAITING = "waiting"
    """Changed; it waits for the commissioner."""
    AWAITED = "awaited"
    """The lobby's work is done, and the device has not arrived yet."""
    DONE = "done"
    FAILED = "failed"
    """Changed; the target has refused it."""
    REFUSED = "refused"
    """Not changed: the operation is not possible."""
    UNCHANGED = "unchanged"
    """It already was as requested."""
    SUPERSEDED = "superseded"
    """Another user or rule has changed it after the campaign, or after the campaign's devices were fixed."""
    NOT_TRIED = "not tried"
    """The campaign was cancelled before the device was changed."""


CHANGED: Final = frozenset({Outcome.WAITING, Outcome.AWAITED, Outcome.DONE, Outcome.FAILED})
"""The outcomes of devices whose last change is the campaign's."""
FAILURES: Final = frozenset({Outcome.FAILED, Outcome.REFUSED})
TRIED: Final = frozenset({Outcome.AWAITED, Outcome.DONE, Outcome.UNCHANGED}) | FAILURES
"""The outcomes over which the failure rate is calculated."""
CHANGED_SINCE: Final = "CHANGED_MEANWHILE"


@dataclass(frozen=True)
class Result:
    """The outcome of one device. `code` is the reason; `generation` is the generation that the campaign's change
    created (None: the campaign did not change the device)."""

    outcome: Outcome = Outcome.PENDING
    code: str | None = None
    generation: int | None = None

    @property
    def is_followed(self) -> bool:
        """Return whether the device's row can still change the outcome."""
        return self.outcome in (Outcome.WAITING, Outcome.AWAITED)


@dataclass(frozen=True)
class PageState:
    """The results of a page, in the order of its devices, and how many of them wait in each lane."""

    results: tuple[Result, ...]
    waiting: Mapping[Lane, int] = field(default_factory=dict)

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(result.outcome.value for result in self.results)

    @property
    def reasons(self) -> Counter[str]:
        """Return the number of failures by reason."""
        return Counter(each.code or "" for each in self.results if each.outcome in FAILURES)


@dataclass(frozen=True)
class Prepared:
    """The result of preparing a campaign: the pages and devices of the manifest, the predicted results, and how many
    devices each lane would work on. Preparing continues at `cursor`; it is `complete` when no device is left. The first
    `canary_pages` pages are the canary."""

    pages: int = 0
    total: int = 0
    changing: int = 0
    unchanged: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)
    work: Mapping[str, int] = field(default_factory=dict)
    cursor: str | None = None
    complete: bool = False
    canary_pages: int = 0

    @property
    def possible(self) -> int:
        """Return how many devices the campaign can change. A device that is refused now may be changed later, because
        the rule that refuses it can change while its generation stays."""
        return self.changing + sum(self.refusals.values())

    def plus(self, other: "Prepared") -> "Prepared":
        """Return the sums with further pages added. Preparing continues after those pages."""
        return Prepared(
            self.pages + other.pages,
            self.total + other.total,
            self.changing + other.changing,
            self.unchanged + other.unchanged,
            dict(Counter(self.refusals) + Counter(other.refusals)),
            dict(Counter(self.work) + Counter(other.work)),
            other.cursor,
            other.complete,
            self.canary_pages + other.canary_pages,
        )


@dataclass(frozen=True)
class Progress:
    """`fed` is the number of pages that were carried out. `open` has the pages with waiting devices, and how many of
    these wait in each lane; `followed` has the pages with devices that have not arrived. `tolerated` counts the
    failures and the tried devices at the last resumption. `number` increases with each record."""

    number: int = 0
    fed: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)
    """The outcomes of the first pages, which are the canary."""
    open: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    followed: tuple[int, ...] = ()
    tolerated: tuple[int, int] = (0, 0)
    canary_passed: bool = False
    looked_at: str | None = None
    advanced_at: str | None = None
    worked_at: str | None = None
    """When it was last recorded."""

    def count(self, outcomes: Iterable[Outcome]) -> int:
        return sum(self.outcomes.get(each.value, 0) for each in outcomes)

    @property
    def waiting(self) -> Counter[str]:
        """Return how many of the campaign's devices wait in each lane."""
        return sum((Counter(lanes) for lanes in self.open.values()), Counter[str]())


def outcome_of(device: Device | None, generation: int, campaign: CampaignName, *, prepares: bool = False) -> Result:
    """Return the outcome of a device that the campaign has changed. `generation` is the one that the change created, or
    0 if the campaign removed the row. `prepares`: the campaign registers devices in their standby."""
    if device is None and generation == 0:
        return Result(Outcome.DONE, None, generation)
    if device is None or not _belongs_to(campaign, device, generation, keeps=prepares):
        return Result(Outcome.SUPERSEDED, CHANGED_SINCE, generation)
    if prepares:
        return _preparation_of(device, device.generation)
    reason = device.reason if device.devstate not in DEACTIVATED_STATES else None
    return Result(_outcome(device), reason, device.generation)


def actor_of(campaign: CampaignName) -> str:
    """Return the actor of a campaign's changes in the histories of devices."""
    return f"campaign:{campaign}"


def _belongs_to(campaign: CampaignName, device: Device, generation: int, *, keeps: bool) -> bool:
    """Return whether the row still has the campaign's change, which created `generation`, or was made in it if the
    campaign `keeps` generations. A later generation of the same campaign is a renewal of the certificate, or a target
    that the commissioner has to clear again. Another campaign in the same generation has not changed the claim: it
    prepares the device, asks it to renew, or has dismissed a suspicion. But the row of an expected device is removed
    with its claim, so the next claim is again the first generation: it is the campaign's only if the campaign has made
    it. Without an admitted device, a later generation can be another claim, too."""
    if device.campaign == campaign:
        return device.generation >= generation
    is_marked = device.campaign is not None and device.devstate in ADMITTED_STATES
    is_own_claim = keeps or generation > 1 or device.claimedby == actor_of(campaign)
    return is_marked and is_own_claim and device.generation == generation


def renewal_outcome(device: Device | None, generation: int, campaign: CampaignName) -> Result:
    """Return the outcome of a device that the campaign asks to renew its certificate, in this generation. The new
    certificate starts another generation, which also belongs to the campaign."""
    if device is None or not _belongs_to(campaign, device, generation, keeps=True):
        return Result(Outcome.SUPERSEDED, CHANGED_SINCE, generation)
    if device.devstate is State.FAILED:
        return Result(Outcome.FAILED, device.reason, generation)
    if device.renew_by is None:
        return Result(Outcome.DONE, None, generation)
    unasked = device.needs_commissioner and device.pending is None
    return Result(Outcome.WAITING if unasked else Outcome.AWAITED, None, generation)


def _preparation_of(device: Device, generation: int) -> Result:
    standby = device.standby
    if device.works_in_standby:
        return Result(Outcome.WAITING, None, generation)
    if standby is not None and standby.status is StandbyStatus.REFUSED:
        return Result(Outcome.FAILED, standby.code, generation)
    waits = device.needs_commissioner and (device.targets_to_clear or not device.announces_standby)
    return Result(Outcome.WAITING if waits else Outcome.DONE, None, generation)


def _outcome(device: Device) -> Outcome:
    match device.devstate:
        case State.ARRIVED:
            return Outcome.DONE
        case State.FAILED:
            return Outcome.FAILED
        case State.COMMISSIONED | State.EXPECTED | State.PROVING:
            return Outcome.AWAITED
        case _ if device.needs_commissioner:
            return Outcome.WAITING
        case _:  # released, revoked or refused: nothing is left to do, or a target could not be cleared
            return Outcome.FAILED if device.targets_to_clear else Outcome.DONE


def page_state(results: Iterable[Result], devices: Iterable[Device | None]) -> PageState:
    """Return the state of a page for the results and rows of its devices, in order."""
    listed = tuple(results)
    waiting = Counter(
        main_lane(device)
        for result, device in zip(listed, devices, strict=True)
        if device is not None and result.outcome is Outcome.WAITING
    )
    return PageState(listed, dict(waiting))


def lanes_with_work(device: Device | None) -> tuple[Lane, ...]:
    """Return the lanes that have work for a row, in order: the first is the one in which it waits."""
    if device is None or not device.needs_commissioner:
        return ()
    left = (lane_to(target) for target in device.targets_to_clear)
    return tuple(dict.fromkeys((main_lane(device), *left, *other_lanes(device))))


def as_fields(value: Prepared | Progress) -> dict[str, Any]:
    """Return the sums as an object for JSON."""
    fields = dict(vars(value))
    if isinstance(value, Progress):
        fields["open"] = {str(page): dict(lanes) for page, lanes in value.open.items()}
    return fields


def progress_of(fields: Mapping[str, Any]) -> Progress:
    """Return the progress of `as_fields`."""
    values = dict(fields)
    values["open"] = {int(page): lanes for page, lanes in values["open"].items()}
    return Progress(**values | {name: tuple(values[name]) for name in ("followed", "tolerated")})
