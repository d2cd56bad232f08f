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
from lobby.domain.lanes.lane_pace import DEFAULT_RATE, parse_rate
from lobby.domain.targets.target import RegisteredTarget, TargetEntry, TargetEvent, changes_of, parse_policy
from lobby.domain.targets.target_names import parse_target_name, require_distinct
from lobby.errors import NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow, TargetRow
from lobby.ledger.targets.target_rows import KIND, REMOVED, target_of, write
from lobby.names import AccountId, Fingerprint, Target, parse_profile

_ACCOUNT: Final = "account"
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
            return target_of(TargetRow.get(KIND, str(target), consistent_read=True))
        except DoesNotExist:
            raise _unknown(target) from None

    def get_also_removed(self, target: Target) -> RegisteredTarget:
        """Return a registered or removed target. Raise `NotFound` UNKNOWN_TARGET."""
        try:
            return self.get(target)
        except NotFound:
            try:
                return target_of(TargetRow.get(REMOVED, str(target), consistent_read=True))
            except DoesNotExist:
                raise _unknown(target) from None

    def find(self, target: Target) -> RegisteredTarget:
        """Return a registered target by a query, for roles that may not get single items. Raise `NotFound`
        UNKNOWN_TARGET."""
        for row in TargetRow.query(KIND, TargetRow.target == str(target), consistent_read=True):
            return target_of(row)
        raise _unknown(target)

    def get_with_device(self, target: Target, certid: Fingerprint) -> tuple[RegisteredTarget, Device | None]:
        """Return a target and a device with one call and consistent reads, so that a change of the target's
        requirements applies immediately. Raise `NotFound` UNKNOWN_TARGET."""
        keys: dict[type[Model], dict[str, str]] = {
            TargetRow: {"kind": KIND, "target": str(target)},
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
        registered = target_of(TargetRow.from_raw_data(targets[0]))
        return registered, device_of(LedgerRow.from_raw_data(devices[0])) if devices else None

    def all(self) -> list[RegisteredTarget]:
        return [target_of(row) for row in TargetRow.query(KIND, consistent_read=True)]

    def register(
        self,
        target: Target,
        name: str,
        profiles: tuple[str, ...],
        actor: str,
        presence: bool | None = None,
        rate: float | None = None,
        clones: str | None = None,
    ) -> RegisteredTarget:
        """Register a target, or rename a registered one and set its profiles, `presence`, `rate` (devices per second)
        and policy for copied certificates, if given. Its ExternalId does not change. Raise `InvalidInput`
        INVALID_NAME, NAME_IMITATES, INVALID_PROFILE, INVALID_RATE or INVALID_POLICY."""
        wanted = tuple(dict.fromkeys(parse_profile(profile) for profile in profiles))
        wanted_rate = None if rate is None else parse_rate(rate)
        policy = None if clones is None else parse_policy(clones)
        known = self.all()
        existing = next((row for row in known if row.target == target), None)
        if existing is None or name != existing.name:  # a name that an earlier version accepted may stay
            name = parse_target_name(name)
            require_distinct(name, target, {row.target: row.name for row in known})
        if existing is None:
            new = RegisteredTarget(target, name, "", wanted or (DEFAULT_PROFILE,), actor, "", bool(presence))
            return self._create(replace(new, rate=wanted_rate or DEFAULT_RATE, clones=policy))
        required = existing.presence if presence is None else presence
        changed = replace(existing, name=name, profiles=wanted or existing.profiles, presence=required)
        changed = changed if clones is None else replace(changed, clones=policy)
        changed = changed if wanted_rate is None else replace(changed, rate=wanted_rate)
        return self.change(existing, changed, actor)

    def change(self, before: RegisteredTarget, after: RegisteredTarget, actor: str) -> RegisteredTarget:
        """Write changed settings of a target. Raise `Conflict` CHANGED_MEANWHILE."""
        detail = changes_of(before, after)
        return write(before, after, self.entry(actor, TargetEvent.CHANGED, detail)) if detail else after

    def entry(self, actor: str, event: TargetEvent, detail: str = "") -> TargetEntry:
        return TargetEntry(timestamp(self._clock()), actor, event, detail)

    def _create(self, new: RegisteredTarget) -> RegisteredTarget:
        """Write a new target with the ExternalId of its account and the time."""
        detail = f"name: {new.name}; profiles: {', '.join(new.profiles)}"
        entry = self.entry(new.createdby, TargetEvent.REGISTERED, detail)
        external_id = self._external_id(new.target.account, new.createdby, entry.at)
        return write(None, replace(new, externalid=external_id, createdat=entry.at), entry)

    def _external_id(self, account: AccountId, actor: str, at: str) -> str:
        """Return the account's ExternalId, created with its first target. If two are created at the same time, the
        first one is used."""
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
    """A cache of targets for `age`, which saves warm Lambdas a read per device. Only existing targets are cached,
    and a lookup of a profile that the cached target lacks reads the table."""

    def __init__(self, targets: Targets, clock: Callable[[], datetime] = now, age: timedelta = CACHE_TIME) -> None:
        self._targets, self._clock, self._age = targets, clock, age
        self._cache: dict[Target, tuple[datetime, RegisteredTarget]] = {}

    def get(self, target: Target, profile: str | None = None) -> RegisteredTarget:
        """Return a target. A removed one is also returned, because devices may have to be cleared there. Raise
        `NotFound` UNKNOWN_TARGET. The caller checks that the target has the profile."""
        cached = self._cache.get(target)
        if cached is not None and cached[0] > self._clock() - self._age and profile in (None, *cached[1].profiles):
            return cached[1]
        return self.read(target)

    def read(self, target: Target) -> RegisteredTarget:
        """Return a target like `get`, but from the table. Raise `NotFound` UNKNOWN_TARGET."""
        registered = self._targets.get_also_removed(target)
        self._cache[target] = (self._clock(), registered)
        return registered


def _put_once(row: TargetRow) -> bool:
    """Write a row; return False if it exists."""
    try:
        row.save(condition=TargetRow.target.does_not_exist())
    except PutError as error:
        if is_condition_unmet(error):
            return False
        raise
    return True


def _unknown(target: Target) -> NotFound:
    return NotFound("UNKNOWN_TARGET", f"got {target}, want a registered target")
