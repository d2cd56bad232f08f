"""The settings of a deployment, read from the CDK app's context (`-c name=value`, or `CDK_CONTEXT_JSON`).

Accounts and Regions are concrete, so every name and ARN in the templates is concrete. All missing and invalid settings
are reported in one error.

    lobby             the lobby's account/Region, such as 123456789012/eu-west-1; required
    targets           a list (or its JSON) of {account, region, externalId, profiles?, createRole?}; default: none
    local             true: for the emulator on this machine
    consoleUrl        the emulator's address of the console: http, a loopback address and a port; only with local
    console           false: deploy the admin API to AWS without the console; by default the console must be built
    lobbyStack        false: only the targets' stacks; default: true
    bundle            false: templates only; their Lambdas have no code and must not be deployed
    logRetentionDays  retention of logs; default: 30
    profiles          the directory of the device profiles; default: infra/profiles
    registrationRate  registrations per second, 1 to 50; at most the quotas of the lobby's account for AWS IoT's
                      DescribeCertificate, UpdateCertificate and AttachPolicy; default: 10
    userPoolId        an existing user pool in the lobby's account and Region; by default the stack creates one
    loginUrl          the origin of that pool's sign-in page; by default the stack creates one
    adoptRole         true: the role's stack adopts an existing role, and retains it; default: false
    protect           false: no deletion protection, for the first deployment, which may be rolled back; default: true
    anchorDays        days during which no one can delete an anchor of a history, 1 to 36500; default: 3650
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from infra.errors import BadContext
from infra.profile_files import read_profiles
from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.profile import Profiles
from lobby.errors import LobbyError
from lobby.names import Target, parse_account, parse_profile, parse_region, parse_target_key, shown

RETENTION_DAYS: Final = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""The values that CloudWatch Logs accepts (API reference, PutRetentionPolicy)."""
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""The format that STS requires (API reference, AssumeRole: ExternalId)."""
_LOOPBACK_URL: Final = re.compile(r"http://(127\.0\.0\.1|localhost):(?P<port>[1-9][0-9]{0,4})/")
_POOL_ID: Final = re.compile(r"[a-z0-9-]+_[0-9A-Za-z]{1,55}")
"""The format of Cognito (API reference, DescribeUserPool: UserPoolId)."""
_ORIGIN: Final = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_TARGET_KEYS: Final = {"account", "region", "externalId", "profiles", "createRole"}


@dataclass(frozen=True)
class TargetSettings:
    """One target. `create_role` is false if the stack of the account's role is not deployed with this target."""

    target: Target
    external_id: str
    profiles: tuple[str, ...] = (DEFAULT_PROFILE,)
    create_role: bool = True


@dataclass(frozen=True)
class Settings:
    """The app's settings. `log_retention` and `anchor_retention` are in days."""

    lobby: Target
    targets: tuple[TargetSettings, ...] = ()
    local: bool = False
    bundle: bool = True
    lobby_stack: bool = True
    log_retention: int = 30
    anchor_retention: int = 3650
    registration_rate: int = 10
    console: bool = True
    console_url: str | None = None
    """Ends with a slash. None: the console is at the API's address, as always in AWS."""
    profiles: Profiles = field(default_factory=read_profiles)
    user_pool_id: str | None = None
    login_url: str | None = None
    protect: bool = True
    adopt_role: bool = False

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
        if "console_url" in found and not found.get("local"):
            wrong.append(f"consoleUrl: got {shown(found['console_url'])}, want it only with local=true")
        if not wrong:
            settings = cls(**found)
            if settings.local:  # the emulator has no billing groups
                settings = replace(settings, profiles=settings.profiles.without_billing_groups())
            wrong = _unknown_profiles(settings)
        if wrong:
            raise BadContext("BAD_CONTEXT", "; ".join(wrong))
        return settings


def _unknown_profiles(settings: "Settings") -> list[str]:
    known = settings.profiles.by_name
    unknown = sorted({name for target in settings.targets for name in target.profiles if name not in known})
    want = f"one of {', '.join(sorted(known))}, or the directory that has it in profiles (--profiles-from)"
    return [f"targets: got profile {name}, want {want}" for name in unknown]


def _bad(got: object, want: str) -> BadContext:
    return BadContext("BAD_CONTEXT", f"got {shown(got)}, want {want}")


def _flag(value: Any) -> bool:
    known = {"true": True, "false": False}
    if isinstance(value, bool | str) and str(value).lower() in known:
        return known[str(value).lower()]
    raise _bad(value, "true or false")


def _console_url(value: Any) -> str:
    """Cognito redirects users there with an authorization code, so only loopback addresses are allowed."""
    match = _LOOPBACK_URL.fullmatch(value) if isinstance(value, str) else None
    if match is not None and int(match["port"]) < 65_536:
        return match[0]
    raise _bad(value, "http://127.0.0.1:<port>/ or http://localhost:<port>/")


def _days(value: Any) -> int:
    if isinstance(value, int | str) and str(value) in map(str, RETENTION_DAYS):
        return int(value)
    raise _bad(value, f"one of {', '.join(map(str, RETENTION_DAYS))} days")


def _anchor_days(value: Any) -> int:
    """Object Lock's limit is 100 years (S3 user guide, "Configuring S3 Object Lock")."""
    if isinstance(value, int | str) and re.fullmatch(r"[1-9][0-9]{0,4}", str(value)) and int(value) <= 36_500:
        return int(value)
    raise _bad(value, "1 to 36500 days")


def _rate(value: Any) -> int:
    """The bouncer's few processes cannot make more calls than that."""
    if isinstance(value, int | str) and re.fullmatch(r"[1-9][0-9]?", str(value)) and int(value) <= 50:
        return int(value)
    raise _bad(value, "1 to 50 registrations per second")


def _user_pool_id(value: Any) -> str:
    if isinstance(value, str) and _POOL_ID.fullmatch(value):
        return value
    raise _bad(value, "the id of a user pool, such as eu-west-1_AbCdEfGhI")


def _login_url(value: Any) -> str:
    if isinstance(value, str) and _ORIGIN.fullmatch(value):
        return value
    raise _bad(value, "an https origin without a path")


def _targets(value: Any) -> tuple[TargetSettings, ...]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _bad(value, "a JSON list of targets") from None
    if not isinstance(value, list):
        raise _bad(value, "a list of targets")
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
        raise _bad(body, f"an object with {', '.join(sorted(_TARGET_KEYS))}")
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


def _external_id(value: Any) -> str:
    if isinstance(value, str) and _EXTERNAL_ID.fullmatch(value):
        return value
    raise _bad(value, "an externalId of 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -")


def _profiles(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) and value else [value]  # the parser rejects values that are not names
    return tuple(dict.fromkeys(map(parse_profile, names)))


def _profile_directory(value: Any) -> Profiles:
    if not isinstance(value, str) or not value:
        raise _bad(value, "the path of a directory with profiles")
    return read_profiles(Path(value))


def _clashes(targets: list[TargetSettings]) -> list[str]:
    """Return conflicts: there is one role per account, so it is deployed with one target, with one ExternalId."""
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
    ("externalId", _external_id),
    ("profiles", _profiles),
    ("createRole", _flag),
)
_FIELDS: Final[tuple[tuple[str, str, Callable[[Any], Any]], ...]] = (
    ("lobby", "lobby", parse_target_key),
    ("targets", "targets", _targets),
    ("local", "local", _flag),
    ("console", "console", _flag),
    ("consoleUrl", "console_url", _console_url),
    ("bundle", "bundle", _flag),
    ("lobbyStack", "lobby_stack", _flag),
    ("logRetentionDays", "log_retention", _days),
    ("profiles", "profiles", _profile_directory),
    ("anchorDays", "anchor_retention", _anchor_days),
    ("registrationRate", "registration_rate", _rate),
    ("userPoolId", "user_pool_id", _user_pool_id),
    ("loginUrl", "login_url", _login_url),
    ("protect", "protect", _flag),
    ("adoptRole", "adopt_role", _flag),
)
