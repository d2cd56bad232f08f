"""A lobby with several Regions: the additional parts of each Region's stack.

Every Region has the whole stack, so each can become home. The stack of the first Region also creates the tables and
their replicas. Functions read the replica of their own Region and write to the tables of the home Region, whichever it
is, and the functions of the home Region reach devices in every Region. IAM is global, so the names of roles contain the
Region, except in the first Region. A lobby with one Region has none of these parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from infra.parts.tables import table_arn
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.ledger.models import CertificateRow, HistoryRow, LedgerRow, TargetRow
from lobby.names import Target
from lobby.settings import REGIONS
from lobby.wire import CRL_PREFIX

LEASE: Final = "LOBBY_LEASE_SECONDS"
_TABLES: Final = "dynamodb"
_IOT: Final = "iot"
SWEEPER: Final = "sweeper"
SEND_TO_DEVICES: Final = frozenset({"commissioner", SWEEPER})
"""The roles that send messages to devices in all Regions of the lobby, each device in the Region of its door."""
REACH_DEVICES: Final = SEND_TO_DEVICES | {"registrar"}
"""The roles that work on certificates in all Regions. A claim certificate is valid at every door."""
BOUNCER: Final = "bouncer"
REGISTRAR: Final = "registrar"
RECONCILER: Final = "reconciler"
ADMIN_API: Final = "admin-api"
WITHOUT_LEASE: Final = frozenset({"pages", "notary"})
"""The roles that do not read the lease, because they write no table."""


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of every Lambda of a lobby with several Regions."""
    if not settings.regions:
        return {}
    lease = {LEASE: str(settings.lease_seconds)} if settings.lease_seconds else {}
    return {REGIONS: ",".join(settings.regions), **lease}


def role_name(name: str, settings: Settings) -> str:
    """Return the name of a role in this Region. In the first Region, it is the name that a lobby with one Region has,
    which targets trust."""
    return suffixed(NAMES.name(name), settings.lobby, settings)


def role_names(name: str, settings: Settings) -> list[str]:
    """Return the names of a role in all Regions of the lobby."""
    return [suffixed(NAMES.name(name), place, settings) for place in settings.places]


def suffixed(name: str, place: Target, settings: Settings) -> str:
    """Return the name of an IAM resource of the stack in `place`."""
    return name if place == settings.places[0] else f"{name}-{place.region}"


def reach(role: str, statements: Sequence[iam.PolicyStatement], settings: Settings) -> list[iam.PolicyStatement]:
    """Return a role's permissions, extended to the tables of all Regions, and to AWS IoT of all Regions if the role
    works on devices there. In addition, the role may read the votes for the home."""
    if not settings.regions:
        return list(statements)
    services = (_TABLES, _IOT) if role in REACH_DEVICES else (_TABLES,)
    for statement in statements:
        statement.add_resources(*elsewhere(statement.resources, settings, services))
    more = []
    if role not in WITHOUT_LEASE:
        votes = (table_arn(TargetRow, place) for place in (settings.lobby, *_others(settings)))
        more.append(_allow("Lease", "dynamodb:GetItem", *votes))
    if role in SEND_TO_DEVICES:
        more.append(_allow("EndpointsOfRegions", "iot:DescribeEndpoint", "*"))
    return [*statements, *more, *_reads(role, settings)]


def _reads(role: str, settings: Settings) -> list[iam.PolicyStatement]:
    """Return the reads that a role needs only in a lobby with several Regions. The bouncer reads the certificates of
    devices while the home does not answer; the registrar compares the replica with the certificates of its Region; the
    sweeper finds new revocation lists in each Region, and the reconciler those that end; the API reads everything that
    a promotion could have lost."""
    here, account = settings.lobby, settings.lobby.account
    trust = [f"arn:aws:s3:::{NAMES.trust_bucket(account, place.region)}" for place in _others(settings)]
    if role == SWEEPER:
        return [_allow("PublishedInRegions", "s3:ListBucket", *trust)]
    if role == RECONCILER:
        cas = [f"arn:aws:iot:{place.region}:{account}:cacert/*" for place in _others(settings)]
        return [
            _allow("ManufacturersOfRegions", "iot:DescribeCACertificate", *cas),
            _allow("ListsOfRegions", "s3:GetObject", *(f"{each}/{CRL_PREFIX}*" for each in trust)),
            _allow("AbsentListsOfRegions", "s3:ListBucket", *trust),
        ]
    if role == BOUNCER:
        return [_allow("KnownCertificates", "dynamodb:GetItem", table_arn(CertificateRow, here))]
    if role == REGISTRAR:
        return [
            _allow("Devices", "dynamodb:Scan", table_arn(LedgerRow, here)),
            _allow("CertificatesOfDevices", "dynamodb:BatchGetItem", table_arn(CertificateRow, here)),
            _allow("ListManufacturers", "iot:ListCACertificates", "*"),
            _allow("Manufacturers", "iot:DescribeCACertificate", f"arn:aws:iot:{here.region}:{here.account}:cacert/*"),
        ]
    if role != ADMIN_API:
        return []
    buckets = [f"arn:aws:s3:::{NAMES.notary_bucket(account, place.region)}" for place in _others(settings)]
    return [
        _allow("CheckRows", "dynamodb:Scan", table_arn(LedgerRow, here)),
        _allow("CheckEntries", "dynamodb:BatchGetItem", table_arn(HistoryRow, here)),
        _allow("AnchorsOfRegions", "s3:ListBucketVersions", *buckets),
    ]


def _others(settings: Settings) -> list[Target]:
    return [place for place in settings.places if place != settings.lobby]


def _allow(sid: str, action: str, *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=[action], resources=list(resources))


def elsewhere(arns: Iterable[str], settings: Settings, services: Sequence[str] = (_TABLES, _IOT)) -> list[str]:
    """Return the ARNs of the same resources in the other Regions. A stream belongs to one replica."""
    here, others = settings.lobby, _others(settings)
    prefixes = tuple(f"arn:aws:{service}:{here.region}:" for service in services)
    return [
        arn.replace(f":{here.region}:", f":{place.region}:", 1)
        for arn in arns
        if arn.startswith(prefixes) and "/stream/" not in arn
        for place in others
    ]


def with_elsewhere(reasons: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the reasons by resource, and the same reasons for the same resources in the other Regions. The names of
    buckets end with their Region."""
    buckets = {
        resource.replace(f"-{settings.lobby.region}/", f"-{place.region}/"): reason
        for resource, reason in reasons.items()
        for place in _others(settings)
        if resource.startswith("arn:aws:s3:::")
    }
    return {**reasons, **buckets} | {
        arn: reason for resource, reason in reasons.items() for arn in elsewhere([resource], settings)
    }
