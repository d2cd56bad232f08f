"""The registry of targets: accounts and Regions that devices can be sent to, each with its role's ExternalId.

The ExternalId is random per account and shared by the account's Regions, because the role that checks it exists once
per account (IAM is global). It protects against the confused deputy problem and is not a password, but only users who
set up accounts can see it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.models import Model

from lobby.domain.device import DEFAULT_PROFILE, Device
from lobby.domain.target import RegisteredTarget
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import code_of
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow, TargetRow
from lobby.names import AccountId, Fingerprint, Target, parse_profile, parse_target_key, shown

_KIND, _ACCOUNT = "target", "account"
_MAX_NAME: Final = 64
CACHE_TIME: Final = timedelta(minutes=1)


class Targets:
    """The registry of targets. `new_external_id` returns an unguessable text."""

    def __init__(self, new_external_id: Callable[[], str], clock: Callable[[], datetime] = now) -> None:
        self._new_external_id = new_external_id
        self._clock = clock

    @classmethod
    def read_only(cls) -> "Targets":
        """Return a registry for code that registers no targets."""

        def no_new_ids() -> str:
            raise AssertionError("a read-only registry cannot register targets")

        return cls(no_new_ids)

    def get(self, target: Target) -> RegisteredTarget:
        """Return a registered target. Raise `NotFound` UNKNOWN_TARGET."""
        try:
            return _registered(TargetRow.get(_KIND, str(target), consistent_read=True))
        except DoesNotExist:
            raise _unknown(target) from None

    def get_with_device(self, target: Target, certid: Fingerprint) -> tuple[RegisteredTarget, Device | None]:
        """Return a target and a device with one call and consistent reads, so that a change of what the target requires
        of claims applies at once. Raise `NotFound` UNKNOWN_TARGET."""
        keys: dict[type[Model], dict[str, str]] = {
            TargetRow: {"kind": _KIND, "target": str(target)},
            LedgerRow: {"certid": certid},
        }
        requests = {
            model.Meta.table_name: {
                "Keys": [{name: {"S": value} for name, value in key.items()}],
                "ConsistentRead": True,
            }
            for model, key in keys.items()
        }
        response = connection_of().dispatch("BatchGetItem", {"RequestItems": requests})
        if response.get("UnprocessedKeys"):
            return self.get(target), next((device_of(row) for row in LedgerRow.batch_get([certid], True)), None)
        targets, devices = (response["Responses"].get(model.Meta.table_name, []) for model in (TargetRow, LedgerRow))
        if not targets:
            raise _unknown(target)
        registered = _registered(TargetRow.from_raw_data(targets[0]))
        return registered, device_of(LedgerRow.from_raw_data(devices[0])) if devices else None

    def all(self) -> list[RegisteredTarget]:
        return [_registered(row) for row in TargetRow.query(_KIND, consistent_read=True)]

    def register(
        self, target: Target, name: str, profiles: tuple[str, ...], actor: str, presence: bool | None = None
    ) -> RegisteredTarget:
        """Register a target, or rename a registered one and set its profiles and `presence`, if given. Its ExternalId
        does not change. Raise `InvalidInput` INVALID_NAME or INVALID_PROFILE."""
        if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
            raise InvalidInput("INVALID_NAME", f"got {shown(name)}, want 1 to {_MAX_NAME} printable characters")
        wanted = tuple(dict.fromkeys(parse_profile(profile) for profile in profiles))
        existing = next((row for row in self.all() if row.target == target), None)
        if existing is None:
            return self._create(target, name, wanted or (DEFAULT_PROFILE,), actor, bool(presence))
        required = existing.presence if presence is None else presence
        return _update(replace(existing, name=name, profiles=wanted or existing.profiles, presence=required))

    def _create(
        self, target: Target, name: str, profiles: tuple[str, ...], actor: str, presence: bool
    ) -> RegisteredTarget:
        at = timestamp(self._clock())
        external_id = self._external_id(target.account, actor, at)
        new = RegisteredTarget(target, name, external_id, profiles, actor, at, presence)
        row = TargetRow(
            _KIND,
            str(target),
            name=name,
            externalid=new.externalid,
            profiles=list(profiles),
            presence=presence,
            createdby=actor,
            createdat=at,
        )
        # The client may have written it in an attempt whose response was lost.
        if not _put_once(row) and self.get(target) != new:
            raise Conflict("CHANGED_MEANWHILE", f"got {target}, which was registered by someone else just now")
        return new

    def _external_id(self, account: AccountId, actor: str, at: str) -> str:
        """Return the account's ExternalId, created with its first target. If two are created at the same time, the
        first is used."""
        row = TargetRow(
            _ACCOUNT,
            account,
            name=account,
            externalid=self._new_external_id(),
            profiles=[],
            createdby=actor,
            createdat=at,
        )
        if _put_once(row):
            return row.externalid
        return TargetRow.get(_ACCOUNT, account, consistent_read=True).externalid


class RecentTargets:
    """A cache of targets for one minute, which saves warm Lambdas a read per device. Only existing targets are cached,
    and a lookup of a profile that the cached target lacks reads the table."""

    def __init__(self, targets: Targets, clock: Callable[[], datetime] = now) -> None:
        self._targets, self._clock = targets, clock
        self._cache: dict[Target, tuple[datetime, RegisteredTarget]] = {}

    def get(self, target: Target, profile: str | None = None) -> RegisteredTarget:
        """Return a target. Raise `NotFound` UNKNOWN_TARGET. The caller checks that the target has the profile."""
        cached = self._cache.get(target)
        if cached is not None and cached[0] > self._clock() - CACHE_TIME and profile in (None, *cached[1].profiles):
            return cached[1]
        registered = self._targets.get(target)
        self._cache[target] = (self._clock(), registered)
        return registered


def _update(changed: RegisteredTarget) -> RegisteredTarget:
    TargetRow(_KIND, str(changed.target)).update(
        actions=[
            TargetRow.name.set(changed.name),
            TargetRow.profiles.set(list(changed.profiles)),
            TargetRow.presence.set(changed.presence),
        ],
        condition=TargetRow.target.exists(),
    )
    return changed


def _put_once(row: TargetRow) -> bool:
    """Write a row; return False if it exists."""
    try:
        row.save(condition=TargetRow.target.does_not_exist())
    except PutError as error:
        if code_of(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _unknown(target: Target) -> NotFound:
    return NotFound("UNKNOWN_TARGET", f"got {target}, want a registered target")


def _registered(row: TargetRow) -> RegisteredTarget:
    return RegisteredTarget(
        parse_target_key(row.target),
        row.name,
        row.externalid,
        tuple(row.profiles),
        row.createdby,
        row.createdat,
        bool(row.presence),
    )
