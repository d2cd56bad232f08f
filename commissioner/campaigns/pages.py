"""Carries out one page of a campaign, or checks the outcomes of its devices.

A change is conditional on the generation in the manifest and marks the row with the campaign. So after a feeder was
killed, its page can be repeated: devices that were already changed are recognised and not changed again. A check reads
the rows consistently and changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from commissioner.campaigns.isolation import isolated
from lobby.chunks import chunks
from lobby.domain.campaigns.campaign import Campaign
from lobby.domain.campaigns.campaign_manifest import ManifestLine, change_for_page
from lobby.domain.campaigns.campaign_progress import (
    CHANGED_SINCE,
    Outcome,
    PageState,
    Result,
    outcome_of,
    page_state,
    renewal_outcome,
)
from lobby.domain.change_requests import ChangeOperation, TargetRegister
from lobby.domain.device import Device
from lobby.domain.states import Event
from lobby.errors import Conflict, LobbyError
from lobby.ledger.batch_reader import READ_SIZE, read_rows
from lobby.ledger.bulk import NOT_TRIED
from lobby.ledger.bulk import Outcome as Changed
from lobby.ledger.campaigns.campaign_rows import Page
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.clock import pause
from lobby.ledger.store import Ledger
from lobby.names import CampaignName, Fingerprint

INTERNAL: Final = "INTERNAL"
"""The code of a device whose row our code cannot process."""
_KEEPING_GENERATION: Final = (ChangeOperation.PREPARE, ChangeOperation.RENEW, ChangeOperation.DISMISS)
_KEPT: Final = 64
"""Pages of manifests that are kept in memory."""


class Interrupted(Exception):
    """There was no time for all devices of a page. Nothing is recorded, and the page is carried out again."""


@dataclass
class Pages:
    """`targets` are the registered targets; `pause` waits before a row is read again."""

    ledger: Ledger
    manifests: Manifests
    targets: TargetRegister
    pause: Callable[[int], None] = pause
    _lines: dict[tuple[CampaignName, int], tuple[ManifestLine, ...]] = field(default_factory=dict)

    def lines(self, campaign: Campaign, page: Page) -> tuple[ManifestLine, ...]:
        """Return a page of the manifest. Raise `InvalidInput` INVALID_MANIFEST if it was changed, or `NotFound`
        MANIFEST_MISSING."""
        key = (campaign.name, page.number)
        if key not in self._lines:
            if len(self._lines) >= _KEPT:
                self._lines.clear()
            self._lines[key] = self.manifests.read(campaign.name, page.number, page.digest)
        return self._lines[key]

    def carry_out(self, campaign: Campaign, page: Page, deadline: Callable[[], bool]) -> PageState:
        """Change the devices of a page, and return its new state. Raise `Interrupted` once `deadline` is true."""
        lines = self.lines(campaign, page)
        change = change_for_page(campaign, lines, self.targets)

        def change_some(some: Sequence[ManifestLine]) -> list[Changed]:
            return self.ledger.change_many([line.chosen for line in some], change, campaign.actor, deadline)

        outcomes = isolated(lines, change_some, _internal)
        if any(isinstance(each, LobbyError) and each.code == NOT_TRIED for each in outcomes):
            raise Interrupted
        results = [_result(campaign, line, each) for line, each in zip(lines, outcomes, strict=True)]
        return page_state(results, [each if isinstance(each, Device) else None for each in outcomes])

    def look(self, campaign: Campaign, page: Page) -> PageState:
        """Return the state of a page that was carried out."""
        lines, before = self.lines(campaign, page), page.state.results
        followed = [line for line, result in zip(lines, before, strict=True) if result.is_followed]
        rows = self._rows([line.certid for line in followed])
        results, devices = [], []
        for line, result in zip(lines, before, strict=True):
            row = rows.get(line.certid)
            is_read = result.is_followed and line.certid in rows
            results.append(_outcome(row, result.generation or 0, campaign) if is_read else result)
            devices.append(row)
        return page_state(results, devices)

    def close(self, campaign: Campaign, page: Page) -> PageState | None:
        """Return the state of a page that a feeder may have begun before the campaign was cancelled; None if no device
        was changed."""
        lines = self.lines(campaign, page)
        rows = self._rows([line.certid for line in lines])
        results = [self._begun(campaign, line, rows.get(line.certid)) for line in lines]
        if all(result.outcome is Outcome.NOT_TRIED for result in results):
            return None
        return page_state(results, [rows.get(line.certid) for line in lines])

    def _begun(self, campaign: Campaign, line: ManifestLine, device: Device | None) -> Result:
        if device is not None and _changed_by(campaign, line, device):
            return _outcome(device, device.generation, campaign)
        if device is None and line.generation:
            last = self.ledger.last_entry(line.certid)
            if last is not None and (last.event, last.actor) == (Event.RELEASE, campaign.actor):
                return outcome_of(None, 0, campaign.name)
        return Result(Outcome.NOT_TRIED)

    def _rows(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, Device | None]:
        """Return the rows that could be read."""

        def read(some: Sequence[Fingerprint]) -> list[tuple[Fingerprint, Device | None] | None]:
            rows = read_rows(some, self.pause, lambda: False)
            return [(certid, rows[certid]) if certid in rows else None for certid in some]

        found = [each for some in chunks(certids, READ_SIZE) for each in isolated(some, read, lambda *_: None)]
        return dict(each for each in found if each is not None)


def _result(campaign: Campaign, line: ManifestLine, outcome: Changed) -> Result:
    if isinstance(outcome, LobbyError):
        since = outcome.code == CHANGED_SINCE
        return Result(Outcome.SUPERSEDED if since else Outcome.REFUSED, outcome.code)
    if outcome is None:
        return outcome_of(None, 0, campaign.name)
    if not _changed_by(campaign, line, outcome):
        return Result(Outcome.UNCHANGED)
    return _outcome(outcome, outcome.generation, campaign)


def _changed_by(campaign: Campaign, line: ManifestLine, device: Device) -> bool:
    """Return whether the campaign has changed the row. Some operations keep the generation, because the claim does not
    change."""
    stays = campaign.request.operation in _KEEPING_GENERATION
    return device.campaign == campaign.name and (stays or device.generation > line.generation)


def _outcome(device: Device | None, generation: int, campaign: Campaign) -> Result:
    if campaign.request.operation is ChangeOperation.RENEW:
        return renewal_outcome(device, generation, campaign.name)
    if campaign.request.operation is ChangeOperation.DISMISS:
        return Result(Outcome.DONE, None, generation)  # nothing is left to do in any state of the device
    prepares = campaign.request.operation is ChangeOperation.PREPARE
    return outcome_of(device, generation, campaign.name, prepares=prepares)


def _internal(line: ManifestLine, error: Exception) -> Changed:
    return Conflict(INTERNAL, f"got {line.certid}, whose row cannot be processed ({type(error).__name__})")
