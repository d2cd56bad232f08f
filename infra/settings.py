"""The settings of a deployment, read from the CDK app's context (`-c name=value`, or `CDK_CONTEXT_JSON`).

The lobby's id is not a setting, because modules compute the names of tables and queues when they are imported
(`lobby.deployment`). Accounts and Regions are given, so the templates contain complete names and ARNs. All missing and
invalid settings are reported in one error.

    lobby             the lobby's account/Region, such as 123456789012/eu-west-1; required
    regions           the Regions of a lobby with several, with commas, the first home first; `lobby` then names that of
                      this stack, for targets the first (infra.regions.region_parts); default: only the lobby's Region
    replicaStreams    not in the first: the ARNs of the streams of ledger and history there, which ./deploy.sh aws reads
    newRegions        the Regions whose replicas this update creates (infra.cloud.lobby_regions); default: none
    leaseSeconds      how long the lease of the home Region lasts, 10 to 300; only with local; default: 300
    targets           a list (or its JSON) of {account, region, externalId, profiles?, createRole?}; default: none
    local             true: for the emulator on this machine
    consoleUrl        the emulator's address of the console: http, a loopback address and a port; only with local
    webhookRoots      a file with the CA certificates of webhooks' receivers on this machine; only with local
    console           false: deploy the admin API to AWS without the console; by default the console must be built
    lobbyStack        false: only the targets' stacks; default: true
    bundle            false: templates only; their Lambdas have no code and must not be deployed
    logRetentionDays  retention of logs; default: 30
    dataEndpoint      the account's endpoint (iot:Data-ATS), which ./deploy.sh aws reads; default: the SDK's, for tests
    domain, domainCertificate  your own domain for the devices' endpoint; the ARN of its certificate in ACM there
    profiles          the directory of the device profiles; default: infra/profiles
    registrationRate  registrations per second, 1 to 50; at most the account's quotas of AWS IoT; default: 10
    userPoolId, loginUrl  an existing user pool here and the origin of its sign-in page; default: the stack creates both
    adoptRole         true: the role's stack adopts an existing role, and retains it; default: false
    protect           false: no deletion protection, for the first deployment, which may be rolled back; default: true
    ledgerIndexes     names of the ledger's indexes, with commas, for an upgrade (infra.cloud.index_upgrade)
    leftThings        what happens to the thing of a device that has left a target: mark or remove; default: mark
    deviceEndpoint    the emulator's address for devices, with its port; only with local
    vendingSettings   JSON for the vending door (lobby.domain.doors.vending_settings); default: Amazon's roots
    campaignApprovalAbove  devices that a campaign may change without a second user, 0 to 99999; default: 1000
    clonePolicy       flag or quarantine: what is done with a device whose certificate seems to be copied; default: flag
    claimLimits       of a technician: devices a minute/devices an hour/wrong codes an hour; default: 60/1000/10
    signingKeys       ARNs, with commas, of keys in KMS that sign certificates for enrolments; default: none
    archiveDays       days for which events are archived in S3 (infra.archive.delivery), 1 to 36500; default: no archive
    registryEvents    true: AWS IoT publishes events of its registry; the archive enables them, too; default: false
    iotLogs           false: AWS IoT's logs stay as the account has set them, which ./deploy.sh aws reads; default: true
    anchorDays        days during which no one can delete an anchor of a history, 1 to 36500; default: 3650
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from infra import setting_values as values
from infra.doors.vending_settings import default_settings
from infra.errors import BadContext
from infra.profile_files import read_profiles, unknown_profiles
from lobby import strict_json
from lobby.deployment import NAMES
from lobby.domain.claims.claim_limits import DEFAULT_LIMITS
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.targets.profile import Profiles
from lobby.errors import LobbyError
from lobby.names import Region, Target, parse_account, parse_profile, parse_region, parse_target_key, shown
from lobby.settings import MARK, REMOVE

_ONLY_LOCAL: Final = {"console_url", "webhook_roots", "device_endpoint", "lease_seconds"}
_TARGET_KEYS: Final = {"account", "region", "externalId", "profiles", "createRole"}


@dataclass(frozen=True)
class TargetSettings:
    """One target. `create_role` is false if the role's stack of the account is deployed with another target."""

    target: Target
    external_id: str
    profiles: tuple[str, ...] = (DEFAULT_PROFILE,)
    create_role: bool = True


@dataclass(frozen=True)
class Settings:
    """The app's settings. `log_retention` and `anchor_retention` are in days."""

    lobby: Target
    regions: tuple[Region, ...] = ()  # empty: only the lobby's Region
    new_regions: tuple[Region, ...] = ()
    replica_streams: tuple[str, ...] = ()
    lease_seconds: int | None = None
    targets: tuple[TargetSettings, ...] = ()
    local: bool = False
    bundle: bool = True
    lobby_stack: bool = True
    log_retention: int = 30
    anchor_retention: int = 3650
    archive_days: int | None = None
    signing_keys: tuple[str, ...] = ()
    registry_events: bool = False
    iot_logs: bool = True
    registration_rate: int = 10
    campaign_approval_above: int = 1000
    claim_limits: str = DEFAULT_LIMITS
    clone_policy: str = "flag"
    data_endpoint: str | None = None
    domain: str | None = None
    domain_certificate: str | None = None
    console: bool = True
    console_url: str | None = None
    """The URL ends with a slash. None: the console is at the API's address, as always in AWS."""
    webhook_roots: str | None = None
    """None, as always in AWS: webhooks are sent to public addresses only."""
    profiles: Profiles = field(default_factory=read_profiles)
    user_pool_id: str | None = None
    login_url: str | None = None
    protect: bool = True
    ledger_indexes: tuple[str, ...] = ()
    """Empty: the indexes of this version."""
    adopt_role: bool = False
    left_things: str = MARK
    device_endpoint: str | None = None
    vending: str = field(default_factory=default_settings)

    @property
    def key(self) -> str:
        """The key that identifies this lobby in its targets. It is the same in all its Regions."""
        return NAMES.key(self.places[0])

    @property
    def places(self) -> tuple[Target, ...]:
        """The lobby's account in each of its Regions, the first home first."""
        return tuple(Target(self.lobby.account, region) for region in self.regions) or (self.lobby,)

    @property
    def is_first(self) -> bool:
        """Whether this is the Region whose stack has the tables."""
        return self.lobby == self.places[0]

    @property
    def removes_left(self) -> bool:
        return self.left_things == REMOVE

    @classmethod
    def from_context(cls, context: Callable[[str], Any]) -> "Settings":
        """Return settings from `context(name)`, such as `app.node.try_get_context`. Raise `BadContext`."""
        found: dict[str, Any] = {}
        wrong: list[str] = []
        for name, attribute, parse in _FIELDS:
            value = context(name)
            if value is None and name != "lobby":
                continue
            try:
                found[attribute] = parse(value)
            except LobbyError as error:
                wrong.append(f"{name}: {error.message}")
        wrong += _contradictions(found)
        if not wrong:
            settings = cls(**found)
            if len(settings.regions) == 1:
                settings = replace(settings, regions=())
            if settings.local:  # the emulator has no billing groups
                settings = replace(settings, profiles=settings.profiles.without_billing_groups())
            wrong = unknown_profiles(settings.profiles, (target.profiles for target in settings.targets))
        if wrong:
            raise BadContext("BAD_CONTEXT", "; ".join(wrong))
        return settings


def _contradictions(found: dict[str, Any]) -> list[str]:
    named = [(name, found[key]) for name, key, _ in _FIELDS if key in _ONLY_LOCAL and key in found]
    local = (
        [] if found.get("local") else [f"{name}: got {shown(got)}, want it only with local=true" for name, got in named]
    )
    wrong = _wrong_regions(found) + local
    if "archive_days" in found and found.get("local"):
        wrong.append("archiveDays: got it with local=true, want it only in AWS: the emulator has no named queries")
    if ("domain" in found) != ("domain_certificate" in found):
        wrong.append("domain: got one of domain and domainCertificate, want both or none")
    return wrong


def _wrong_regions(found: dict[str, Any]) -> list[str]:
    regions, lobby = found.get("regions", ()), found.get("lobby")
    if not regions or lobby is None:
        return [] if "replica_streams" not in found else ["replicaStreams: got it without regions, want both or none"]
    if lobby.region not in regions:
        return [f"regions: got {', '.join(regions)}, want them with the lobby's Region {lobby.region}"]
    if not set(found.get("new_regions", ())) <= set(regions[1:]):
        return [f"newRegions: got {', '.join(found['new_regions'])}, want them in regions and not the first"]
    has_replica = lobby.region != regions[0] and found.get("lobby_stack", True)
    if has_replica != ("replica_streams" in found):
        return [f"replicaStreams: want it in every Region but the first, which is {regions[0]}"]
    return []


def _targets(value: Any) -> tuple[TargetSettings, ...]:
    if isinstance(value, str):
        try:
            value = strict_json.loads(value)
        except ValueError as error:
            raise values.bad(value, f"a JSON list of targets ({error})") from None
    if not isinstance(value, list):
        raise values.bad(value, "a list of targets")
    found: list[TargetSettings] = []
    wrong: list[str] = []
    for place, body in enumerate(value):
        try:
            found.append(_target(body, first_of_account=_is_new(body, value[:place])))
        except LobbyError as error:
            wrong.append(f"[{place}] {error.message}")
    wrong += _clashes(found)
    if wrong:
        raise BadContext("BAD_CONTEXT", "; ".join(wrong))
    return tuple(found)


def _is_new(body: Any, before: list[Any]) -> bool:
    return isinstance(body, dict) and all(
        not isinstance(other, dict) or other.get("account") != body.get("account") for other in before
    )


def _target(body: Any, *, first_of_account: bool) -> TargetSettings:
    if not isinstance(body, dict) or not set(body) <= _TARGET_KEYS:
        raise values.bad(body, f"an object with {', '.join(sorted(_TARGET_KEYS))}")
    body = {"profiles": [DEFAULT_PROFILE], "createRole": first_of_account} | body
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, parse in _TARGET_FIELDS:
        try:
            found[name] = parse(body.get(name))
        except LobbyError as error:
            wrong.append(error.message)
    if wrong:
        raise BadContext("BAD_CONTEXT", ", ".join(wrong))
    target = Target(found["account"], found["region"])
    return TargetSettings(target, found["externalId"], found["profiles"], found["createRole"])


def _profiles(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) and value else [value]  # the parser rejects values that are not names
    return tuple(dict.fromkeys(map(parse_profile, names)))


def _profile_directory(value: Any) -> Profiles:
    if not isinstance(value, str) or not value:
        raise values.bad(value, "the path of a directory with profiles")
    return read_profiles(Path(value))


def _clashes(targets: list[TargetSettings]) -> list[str]:
    """Return the conflicts between targets. An account has one role, deployed with one target and one ExternalId."""
    wrong: list[str] = []
    for place, one in enumerate(targets):
        for other in targets[:place]:
            if other.target == one.target:
                wrong.append(f"got {one.target} twice, want each target once")
            elif other.target.account == one.target.account:
                if other.create_role and one.create_role:
                    wrong.append(f"got createRole for {other.target} and {one.target}, want it once per account")
                if other.external_id != one.external_id:
                    wrong.append(f"got two externalIds for {one.target.account}, want one per account")
    return wrong


_TARGET_FIELDS: Final[tuple[tuple[str, Callable[[Any], Any]], ...]] = (
    ("account", parse_account),
    ("region", parse_region),
    ("externalId", values.external_id),
    ("profiles", _profiles),
    ("createRole", values.flag),
)
_FIELDS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("lobby", "lobby", parse_target_key),
    ("regions", "regions", values.regions),
    ("newRegions", "new_regions", values.regions),
    ("replicaStreams", "replica_streams", values.replica_streams),
    ("leaseSeconds", "lease_seconds", values.lease_seconds),
    ("targets", "targets", _targets),
    ("local", "local", values.flag),
    ("console", "console", values.flag),
    ("consoleUrl", "console_url", values.console_url),
    ("webhookRoots", "webhook_roots", values.path),
    ("bundle", "bundle", values.flag),
    ("lobbyStack", "lobby_stack", values.flag),
    ("logRetentionDays", "log_retention", values.days),
    ("profiles", "profiles", _profile_directory),
    ("anchorDays", "anchor_retention", values.anchor_days),
    ("archiveDays", "archive_days", values.archive_days),
    ("signingKeys", "signing_keys", values.signing_keys),
    ("registryEvents", "registry_events", values.flag),
    ("iotLogs", "iot_logs", values.flag),
    ("registrationRate", "registration_rate", values.rate),
    ("campaignApprovalAbove", "campaign_approval_above", values.campaign_size),
    ("claimLimits", "claim_limits", values.claim_limits),
    ("clonePolicy", "clone_policy", values.clone_policy),
    ("userPoolId", "user_pool_id", values.user_pool_id),
    ("loginUrl", "login_url", values.login_url),
    ("protect", "protect", values.flag),
    ("adoptRole", "adopt_role", values.flag),
    ("ledgerIndexes", "ledger_indexes", values.names),
    ("leftThings", "left_things", values.left_things),
    ("deviceEndpoint", "device_endpoint", values.address),
    ("vendingSettings", "vending", values.vending),
    ("dataEndpoint", "data_endpoint", values.host),
    ("domain", "domain", values.host),
    ("domainCertificate", "domain_certificate", values.certificate_arn),
)
