"""A lobby with devices in a target, and the feeder of campaigns. The tests simulate lanes and targets."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from commissioner.campaigns.feeder import Feeder
from commissioner.campaigns.pages import Pages
from commissioner.token_messages import Verdict
from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Author, Campaign, CampaignEvent, CampaignState, Source, SourceKind
from lobby.domain.campaigns.campaign_progress import Outcome
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.domain.changes import Chosen
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.campaigns.campaign_preparation import Candidate, Preparation
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.clock import timestamp
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import CampaignName, Fingerprint
from tests import aws
from tests.aws import BUCKET, REGION, Calls, Clock
from tests.functional.lobby.ledger.bulk_claims import ANN, A, B, fingerprints, in_lobby, never

NAME: Final = CampaignName("to-b")
TO_B: Final = ChangeRequest(ChangeOperation.MOVE, B)
IN_A: Final = Source(SourceKind.FILTER, None, {"target": str(A)})
S, E, O = CampaignState, CampaignEvent, ChangeOperation  # noqa: E741
RELEASE: Final = ChangeRequest(O.RELEASE)
US: Final = "service:tests"
_SNAPSHOTS: Final[dict[int, Any]] = {}
"""The tables with so many devices, which are made once."""


class CampaignLobby:
    """`above` is the size above which a campaign needs approval."""

    def __init__(self, calls: Calls, clock: Clock, devices: int, above: int = 1000) -> None:
        self.calls, self.clock, self.above = calls, clock, above
        self.ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
        self.targets = Targets(lambda: "an external id", clock)
        self.campaigns = Campaigns(clock, pause=lambda _attempt: None)
        self.manifests = Manifests(lambda: aws.client("s3"), BUCKET)
        self.preparation = Preparation(self.campaigns, self.manifests, self.ledger, self.targets)
        self.hidden: list[int] = []
        self.devices = fingerprints(devices)
        if devices not in _SNAPSHOTS:
            self._set_up()
            _SNAPSHOTS[devices] = aws.snapshot()
        aws.restore(_SNAPSHOTS[devices])
        clock.advance(seconds=1)

    def _set_up(self) -> None:
        for target in (A, B):
            self.targets.register(target, f"Plant in {target.region}", ("default", "camera"), ANN)
        for certid in self.devices:
            in_lobby(self.ledger, certid)
        self.ledger.claim_many(self.devices, ClaimRequest(A, "camera", {"led": 1}), ANN, never)
        self.settle()

    def settle(self, *certids: Fingerprint, arrive: bool = True) -> None:
        """Simulate the commissioner, and let the devices arrive."""
        for certid in certids or self.devices:
            device = self.ledger.get(certid)
            if device is not None and device.devstate is State.CLAIMED:
                device = self.ledger.commission(device, "a.example", US)
            if device is not None:
                for left in device.targets_to_clear:
                    device = self.ledger.retire(device, left, US)
                if arrive and device.devstate is State.COMMISSIONED:
                    self.ledger.arrive(device, US)

    def fail(self, *certids: Fingerprint) -> None:
        for certid in certids:
            self.ledger.fail(self.device(certid), "TARGET_LIMIT", "too many", US)

    def new_feeder(self) -> Feeder:
        """Return a Lambda that has just started."""
        pages = Pages(self.ledger, self.manifests, self.targets, lambda _attempt: None)
        sources = Sources(self.campaigns, self.manifests)
        return Feeder(self.campaigns, sources, self.preparation, pages, self.targets, self.above, self.clock)

    def create(
        self,
        request: ChangeRequest = TO_B,
        source: Source = IN_A,
        name: CampaignName = NAME,
        author: Author = Author(ANN),  # noqa: B008  # frozen
        **more: Any,
    ) -> Campaign:
        return self.campaigns.create(Campaign(name, request, source, author, timestamp(self.clock()), **more))

    def create_list(self, certids: Sequence[Fingerprint], request: ChangeRequest = TO_B, **more: Any) -> Campaign:
        """Create a campaign from a list, as the API does."""
        created = self.create(request, Source(SourceKind.LIST), **more)
        added = self.preparation.add(created, [Candidate(Chosen(each)) for each in certids], complete=True)
        assert added is not None
        return self.change(CampaignEvent.PREPARED, lambda c, at: transitions.prepared(c, self.above, at), created.name)

    def change(self, event: CampaignEvent, decide: Any, name: CampaignName = NAME, actor: str = ANN) -> Campaign:
        return self.campaigns.change(name, event, actor, decide)

    def pause(self) -> None:
        self.change(CampaignEvent.PAUSED, lambda c, _at: transitions.paused(c))

    def resume(self) -> None:
        self.change(CampaignEvent.RESUMED, lambda c, _at: transitions.resumed(c, ANN))

    def cancel(self) -> None:
        self.change(CampaignEvent.CANCEL, transitions.cancelling)

    def run(self, name: CampaignName = NAME) -> Verdict:
        """Run a new feeder once."""
        return self.new_feeder().run(name, self.hidden.append)

    def run_until(self, *states: CampaignState, settle: bool = True, name: CampaignName = NAME) -> Campaign:
        """Run feeders until the campaign is in one of these states, once for each delivery of its token. With `settle`,
        the lanes also do their work."""
        for _ in range(100):
            self.run(name)
            campaign = self.campaigns.get(name)
            if campaign.state in states:
                return campaign
            if settle:
                self.settle()
            self.clock.advance(seconds=16)
        raise AssertionError(f"got {campaign.state}, want one of {states}")

    def get(self, name: CampaignName = NAME) -> Campaign:
        return self.campaigns.get(name)

    def device(self, certid: Fingerprint) -> Device:
        device = self.ledger.get(certid)
        assert device is not None
        return device

    def moved(self) -> int:
        """Return the number of devices that are claimed for B."""
        return sum(self.device(certid).target == B for certid in self.devices)

    def outcomes(self, name: CampaignName = NAME) -> dict[str, int]:
        """Return the recorded outcomes, after checking that they are those of the pages."""
        campaign = self.get(name)
        results = [each for page in self.campaigns.pages(name, 0, 1000) for each in page.state.results]
        found = {outcome.value: sum(each.outcome is outcome for each in results) for outcome in Outcome}
        del found[Outcome.PENDING.value]
        assert campaign.progress.outcomes == {outcome: count for outcome, count in found.items() if count}
        return dict(campaign.progress.outcomes)


def campaign_fixture(devices: int) -> Any:
    """Return a fixture: a lobby with this number of devices."""

    @pytest.fixture
    def lobby(calls: Calls, clock: Clock) -> CampaignLobby:
        with calls.uncounted():
            return CampaignLobby(calls, clock, devices)

    return lobby
