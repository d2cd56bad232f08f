"""The DynamoDB tables of the ledger, as PynamoDB models.

`infra/` reads the key schema from here, so the deployed tables match the code. `indexes` has the indexes of the table
of devices. Table names are fixed. `items` converts rows.
"""

from typing import Any, ClassVar

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.ledger.activity.activity_rows import ActivityRow
from lobby.ledger.campaigns.campaign_rows import CampaignRow
from lobby.ledger.connections.connection_rows import ConnectionRow
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow
from lobby.ledger.indexes import ByName, ByPrint, ByRenewal, ByState, ByTarget, ByTransfer, ByTurn
from lobby.ledger.registration_rows import RegistrationRow
from lobby.ledger.round_rows import RoundRow
from lobby.ledger.table_calls import Calls
from lobby.ledger.webhooks.webhook_rows import WebhookRow


class LedgerRow(Model):
    """One device, in less than 1 kB, because every further kB costs two more units with each write. The attribute
    `turn` exists only while the row needs the commissioner; the event filter of the ledger's stream reads nothing else.
    No index projects `code`. `epoch` is the epoch of the home Region that wrote the row; a lobby with one Region has
    none. Only rows that were admitted by version 0.2.0 or earlier have `devicecert`; `certified` states that the
    certificate is in its own table."""

    class Meta(Calls):
        table_name = NAMES.name("ledger")

    by_state: ClassVar[ByState] = ByState()
    by_target: ClassVar[ByTarget] = ByTarget()
    by_name: ClassVar[ByName] = ByName()
    by_print: ClassVar[ByPrint] = ByPrint()
    by_turn: ClassVar[ByTurn] = ByTurn()
    by_renewal: ClassVar[ByRenewal] = ByRenewal()
    by_transfer: ClassVar[ByTransfer] = ByTransfer()

    certid = UnicodeAttribute(hash_key=True)
    printhead = UnicodeAttribute(null=True)
    devstate = UnicodeAttribute()
    enteredat = UnicodeAttribute()
    version = NumberAttribute()
    head = UnicodeAttribute()
    generation = NumberAttribute()
    devicename = UnicodeAttribute(null=True)
    namehead = UnicodeAttribute(null=True)
    expected_name = UnicodeAttribute(null=True, attr_name="expected")
    devicecert = UnicodeAttribute(null=True)
    certified = BooleanAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    message = UnicodeAttribute(null=True)
    target = UnicodeAttribute(null=True)
    targetaccount = UnicodeAttribute(null=True)
    targetregion = UnicodeAttribute(null=True)
    profile = UnicodeAttribute(null=True)
    config = JSONAttribute(null=True)
    iotep = UnicodeAttribute(null=True)
    targets_to_clear: ListAttribute[Any] = ListAttribute(null=True, attr_name="previous")
    needs_commissioner = UnicodeAttribute(null=True, attr_name="turn")
    claimedby = UnicodeAttribute(null=True)
    claimedat = UnicodeAttribute(null=True)
    firstseen = UnicodeAttribute(null=True)
    lastseen = UnicodeAttribute(null=True)
    lobbyregion = UnicodeAttribute(null=True)
    clientversion = UnicodeAttribute(null=True)
    counted = UnicodeAttribute(null=True)
    presence_proof = UnicodeAttribute(null=True, attr_name="proof")
    code = UnicodeAttribute(null=True)
    failed_codes = NumberAttribute(null=True, attr_name="failed_codes")
    shows_code = BooleanAttribute(null=True, attr_name="shows")
    fallbacks = NumberAttribute(null=True)
    priority = NumberAttribute(null=True)
    enrolment = UnicodeAttribute(null=True)
    model = UnicodeAttribute(null=True)
    token = UnicodeAttribute(null=True)
    campaign = UnicodeAttribute(null=True)
    certificate = UnicodeAttribute(null=True)
    expires = UnicodeAttribute(null=True)
    renewed_at = UnicodeAttribute(null=True, attr_name="renewedat")
    renewal = UnicodeAttribute(null=True)
    renew_by = UnicodeAttribute(null=True, attr_name="renewby")
    can_renew = BooleanAttribute(null=True, attr_name="renews")
    pending = UnicodeAttribute(null=True)
    pending_expires = UnicodeAttribute(null=True, attr_name="pendingexpires")
    retiring: ListAttribute[Any] = ListAttribute(null=True)
    thing_settings = JSONAttribute(null=True, attr_name="thing")
    claim_defaults = JSONAttribute(null=True, attr_name="claimdefaults")
    standby = UnicodeAttribute(null=True)
    epoch = NumberAttribute(null=True)
    suspicion = JSONAttribute(null=True)
    reactivate = BooleanAttribute(null=True)
    shadows = UnicodeAttribute(null=True)
    transfer = JSONAttribute(null=True)
    transferring = UnicodeAttribute(null=True)
    offer = UnicodeAttribute(null=True)


class HistoryRow(Model):
    """One entry of a device's history. Entries are only added, on condition that they do not exist."""

    class Meta(Calls):
        table_name = NAMES.name("history")

    certid = UnicodeAttribute(hash_key=True)
    seq = NumberAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    before = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)
    generation = NumberAttribute()
    reason = UnicodeAttribute(null=True)
    target = UnicodeAttribute(null=True)
    prior = UnicodeAttribute()
    hash = UnicodeAttribute()


class CertificateRow(Model):
    """The certificate of an admitted device: PEM, compressed by zlib. Written at admission. A fingerprint has one
    certificate, so the item never changes. A certificate from a renewal names its `device`, by the fingerprint of the
    device's row, and the certificate that it `renews`."""

    class Meta(Calls):
        table_name = NAMES.name("certificates")

    certid = UnicodeAttribute(hash_key=True)
    pem = BinaryAttribute(legacy_encoding=False)
    device = UnicodeAttribute(null=True)
    renews = UnicodeAttribute(null=True)


class NameRow(Model):
    """The certificate that holds a thing name, so that two certificates with the same CN cannot share a thing."""

    class Meta(Calls):
        table_name = NAMES.name("names")

    devicename = UnicodeAttribute(hash_key=True)
    certid = UnicodeAttribute()


class TargetRow(Model):
    """A registered target; of kind `removed`, a removed one; of kind `account`, the ExternalId that the targets of one
    account share. One partition per kind: there are few rows, and all are listed together."""

    class Meta(Calls):
        table_name = NAMES.name("targets")

    kind = UnicodeAttribute(hash_key=True, default="target")
    target = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    externalid = UnicodeAttribute()
    profiles: ListAttribute[Any] = ListAttribute()
    presence = BooleanAttribute(null=True)
    rate = NumberAttribute(null=True)
    createdby = UnicodeAttribute()
    createdat = UnicodeAttribute()
    archivedat = UnicodeAttribute(null=True)
    standby = UnicodeAttribute(null=True)
    standby_mode = UnicodeAttribute(null=True, attr_name="standbymode")
    evacuated_at = UnicodeAttribute(null=True, attr_name="evacuatedat")
    evacuation_asked = UnicodeAttribute(null=True, attr_name="evacuationasked")
    last_work = UnicodeAttribute(null=True, attr_name="lastwork")
    returned_at = UnicodeAttribute(null=True, attr_name="returnedat")
    clones = UnicodeAttribute(null=True)
    named_at = UnicodeAttribute(null=True, attr_name="namedat")


class TargetEntryRow(Model):
    """One entry of a target's history, in the same table: of kind `history#` and the target, in the order of time."""

    class Meta(Calls):
        table_name = NAMES.name("targets")

    kind = UnicodeAttribute(hash_key=True)
    target = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor = UnicodeAttribute()
    event = UnicodeAttribute()
    detail = UnicodeAttribute(null=True)


class LaneRow(Model):
    """The state of a lane (`domain.lanes.lane_state`). One partition: there are few rows, and all are read together."""

    class Meta(Calls):
        table_name = NAMES.name("lanes")

    kind = UnicodeAttribute(hash_key=True, default="lane")
    lane = UnicodeAttribute(range_key=True)
    holder = UnicodeAttribute(null=True)
    leased_until = UnicodeAttribute(null=True, attr_name="until")
    unfinished_since = UnicodeAttribute(null=True, attr_name="unfinished")
    paused_by = UnicodeAttribute(null=True, attr_name="pausedby")
    paused_at = UnicodeAttribute(null=True, attr_name="pausedat")
    silent_since = UnicodeAttribute(null=True, attr_name="silent")
    open_until = UnicodeAttribute(null=True, attr_name="openuntil")
    pace = NumberAttribute(null=True)
    progress_at = UnicodeAttribute(null=True, attr_name="progressat")
    slot_at = UnicodeAttribute(null=True, attr_name="slotat")
    resumed_at = UnicodeAttribute(null=True, attr_name="resumedat")
    announced: UnicodeSetAttribute = UnicodeSetAttribute(null=True)


class CountRow(Model):
    """One shard of the count of devices that went from one bucket to another (`counts`); all rows are read together.
    Rows of kind `devices` were written by versions up to 0.2.0: a shard of the number of devices in a bucket."""

    class Meta(Calls):
        table_name = NAMES.name("counts")

    kind = UnicodeAttribute(hash_key=True)
    bucket = UnicodeAttribute(range_key=True)
    number = NumberAttribute(attr_name="count")


MODELS: tuple[type[Model], ...] = (
    LedgerRow,
    HistoryRow,
    CertificateRow,
    NameRow,
    TargetRow,
    LaneRow,
    CountRow,
    RoundRow,
    RegistrationRow,
    ConnectionRow,
    EnrolmentRow,
    WebhookRow,
    CampaignRow,
    ActivityRow,
)
