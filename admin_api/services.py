"""The dependencies of the resolvers, created in one place: the ledger, histories, targets, campaigns, the surveyor and
the reconciler.

Tests pass their own. AWS clients are created at the first use.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from admin_api.invocations import ask_registrar, compare, lambda_client, run_survey
from admin_api.operations.regions import LobbyRegions, MultiRegionServices
from admin_api.operations.signers import NO_SIGNING_KEYS, SigningKeys
from admin_api.operations.target_registration import new_external_id
from admin_api.operations.user_limits import UserLimits
from admin_api.operations.webhooks import WebhookAdministration
from admin_api.settings import Settings
from admin_api.templates.quick_create import signing_config, store
from admin_api.templates.source import bundled_source
from lobby.aws.clients import CLIENT_CONFIG, LobbyClients
from lobby.aws.clients import client as aws_client
from lobby.aws.history_signer import HistorySigner
from lobby.aws.kms_signer import KmsKeys
from lobby.aws.limit_metric import count_limited_claim
from lobby.aws.notices import Notices
from lobby.contracts.campaign_tokens import token_message
from lobby.contracts.invocation import Request
from lobby.contracts.targets import Comparison, Survey
from lobby.deployment import NAMES
from lobby.domain.campaigns.campaign import Campaign
from lobby.domain.history.history_export import Signature
from lobby.domain.regions.home import Terms
from lobby.domain.targets.profile import Profiles
from lobby.ledger.activity.activity_log import ActivityLog
from lobby.ledger.campaigns.campaign_preparation import Preparation
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.campaigns.campaign_sources import Sources
from lobby.ledger.campaigns.manifests import Manifests
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.enrolment_tokens import EnrolmentTokens
from lobby.ledger.enrolments.serial_claims import SerialClaims
from lobby.ledger.enrolments.serial_lists import SerialLists
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.regions.home_lease import HomeLease
from lobby.ledger.regions.home_votes import Votes
from lobby.ledger.regions.region_audit import RegionAudit
from lobby.ledger.regions.routing import Access, route
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.ledger.targets.target_registry import Targets
from lobby.ledger.users.user_blocks import UserBlocks
from lobby.ledger.users.user_claims import UserClaims
from lobby.names import AccountId, Region, Target
from lobby.profiles import bundled_profiles

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Services:
    """`lobby_account` and `lobby_region` are those of this lobby. `clock` returns monotonic seconds."""

    ledger: Ledger
    histories: Histories = field(kw_only=True)
    targets: Targets
    survey: Callable[[Target], Survey]
    compare: Callable[[Target, str | None, str | None], Comparison] = field(kw_only=True)
    """Returns a page of a target's comparison. Arguments: target, cursor, actor to repair as (None: report only)."""
    ask_registrar: Callable[[Request[Any]], Any] = field(kw_only=True)
    """Sends a request of `lobby.contracts.claim_certificates` to the registrar."""
    lobby_account: AccountId
    lobby_region: Region
    profiles: Profiles = field(kw_only=True)
    """All profiles that targets can have."""
    clock: Callable[[], float] = time.monotonic
    connections: Connections = field(default_factory=Connections)
    enrolments: Enrolments = field(default_factory=Enrolments)
    serial_claims: SerialClaims = field(default_factory=SerialClaims)
    serial_lists: SerialLists = field(default_factory=SerialLists)
    claim_certificates: ClaimCertificates = field(default_factory=ClaimCertificates)
    enrolment_tokens: EnrolmentTokens = field(default_factory=EnrolmentTokens)
    device_endpoint: str | None = None
    """The host that devices connect to, or None if the deployment does not know it."""
    campaigns: Campaigns = field(default_factory=Campaigns)
    manifests: Manifests = field(kw_only=True)
    start_campaign: Callable[[Campaign], None] = field(kw_only=True)
    """Starts the feeder of a campaign. If it fails, the sweeper starts it later."""
    approval_above: int = field(kw_only=True)
    """The maximum number of devices in a campaign without approval."""
    store_template: Callable[[Target, str], str] = field(kw_only=True)
    """Stores the template of a target for CloudFormation's console, and returns its address."""
    webhooks: WebhookAdministration = field(kw_only=True)
    notices: Notices = field(kw_only=True)
    sign_history: Callable[[bytes], Signature] = field(kw_only=True)
    """Signs the SHA-256 of an exported history."""
    signing_keys: SigningKeys = NO_SIGNING_KEYS
    """The keys in KMS that may sign devices' certificates."""
    blocks: UserBlocks = field(kw_only=True)
    limits: UserLimits = field(kw_only=True)
    activity: ActivityLog = field(default_factory=ActivityLog)
    removes_left_things: bool = False
    """Whether the lobby removes the thing and certificate of a device that has left a target."""
    multi_region: MultiRegionServices | None = None
    """None for a lobby with one Region."""
    template_source: Callable[[], Mapping[str, Any]] = bundled_source
    """Returns the generic template of a target."""

    @cached_property
    def preparation(self) -> Preparation:
        return Preparation(self.campaigns, self.manifests, self.ledger, self.targets)

    @cached_property
    def campaign_sources(self) -> Sources:
        return Sources(self.campaigns, self.manifests)

    @cached_property
    def regions(self) -> LobbyRegions:
        return LobbyRegions(self.lobby_region, self.multi_region)

    @property
    def identity(self) -> Target:
        """The account and the first Region of the lobby, which identify it for others."""
        return Target(self.lobby_account, self.regions.all[0])

    @cached_property
    def standbys(self) -> Standbys:
        return Standbys(self.targets, self.campaigns, self.approval_above)

    @cached_property
    def target_administration(self) -> TargetAdministration:
        return TargetAdministration(self.targets)


@cache
def _signing_s3() -> "S3Client":
    signing = signing_config(in_aws=not os.environ.get("AWS_ENDPOINT_URL"))
    s3: S3Client = aws_client("s3", CLIENT_CONFIG.merge(signing))
    return s3


def _multi_region(settings: Settings, ledger: Ledger) -> MultiRegionServices | None:
    fence = route(Access.HOME)
    if fence is None:
        return None
    votes, terms = Votes(), Terms(1000 * settings.lease_seconds)

    def anchors(region: Region) -> Anchors:
        bucket = NAMES.notary_bucket(settings.lobby_account, region)
        return Anchors(lambda: aws_client("s3", region_name=region), bucket)

    lease = HomeLease(settings.lobby_region, settings.regions, votes, terms=terms)
    return MultiRegionServices(settings.regions, fence, lease, votes, RegionAudit(ledger), anchors)


def services_of(settings: Settings) -> Services:
    templates = NAMES.trust_bucket(settings.lobby_account, settings.lobby_region)
    client, clients = lambda_client(settings.lobby_region), LobbyClients()
    ledger, bucket = Ledger(settings.lobby_region), NAMES.notary_bucket(settings.lobby_account, settings.lobby_region)

    def start_campaign(campaign: Campaign) -> None:
        message = token_message(campaign.name, f"revision {campaign.revision}")
        clients.sqs.send_message(QueueUrl=settings.campaigns_queue, **message)

    lobby = Target(settings.lobby_account, (settings.regions or (settings.lobby_region,))[0])
    elsewhere = [region for region in settings.regions if region != settings.lobby_region]
    return Services(
        manifests=Manifests(lambda: clients.s3, templates),
        start_campaign=start_campaign,
        approval_above=settings.approval_above,
        ledger=ledger,
        histories=Histories(ledger, Anchors(lambda: clients.s3, bucket)),
        targets=Targets(new_external_id),
        survey=lambda target: run_survey(client(), settings.surveyor, target),
        compare=lambda target, cursor, repair_as: compare(client(), settings.reconciler, target, cursor, repair_as),
        ask_registrar=lambda request: ask_registrar(client(), settings.registrar, request),
        device_endpoint=settings.device_endpoint,
        lobby_account=settings.lobby_account,
        lobby_region=settings.lobby_region,
        profiles=bundled_profiles(),
        store_template=lambda target, content: store(_signing_s3(), templates, target, content),
        notices=Notices(lambda: clients.sns, settings.notices_topic),
        webhooks=WebhookAdministration.of(settings.webhooks_queue, NAMES.key(lobby), clients, elsewhere),
        removes_left_things=settings.removes_left_things,
        blocks=UserBlocks(time.monotonic),
        limits=UserLimits(UserClaims(settings.claim_limits), count_limited_claim),
        multi_region=_multi_region(settings, ledger),
        sign_history=HistorySigner(lambda: clients.kms, settings.history_key).sign,
        signing_keys=SigningKeys(settings.signing_keys, KmsKeys(clients.kms_of).describe),
    )
