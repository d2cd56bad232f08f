"""Consistent reads of single devices: the row, the certificate, the history, the holder of a thing name.

Each method is one call, or a few if a device has renewed its certificate. Rows are read consistently, because users and
Lambdas decide on them.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist, GetError

from lobby.domain.claims.serial_claim import RESERVED, SerialNumberClaimed
from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import Unreadable
from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.ledger.certificates import pem_of, read_pems
from lobby.ledger.connection import connection_of
from lobby.ledger.items import device_of, entry_of, entry_of_item
from lobby.ledger.models import CertificateRow, HistoryRow, LedgerRow, NameRow
from lobby.names import Fingerprint, ThingName


class LedgerReader:
    """Reads the ledger, the histories and the names."""

    def get(self, certid: Fingerprint) -> Device | None:
        """Return the device as it is now, or None if there is no row."""
        try:
            return device_of(LedgerRow.get(certid, consistent_read=True))
        except DoesNotExist:
            return None

    def get_with_certificate(self, certid: Fingerprint) -> Device | None:
        """Return the device with its certificate, or None if there is no row. This takes one call, or two if the device
        has renewed its certificate. Raise `GetError`, also if DynamoDB lacks capacity for one of the reads."""
        tables = [model.Meta.table_name for model in (LedgerRow, CertificateRow)]
        wanted = {"Keys": [{"certid": {"S": certid}}], "ConsistentRead": True}
        client: Any = connection_of().client
        try:
            response = client.batch_get_item(RequestItems=dict.fromkeys(tables, wanted))
        except (BotoCoreError, ClientError) as error:
            raise GetError(f"Failed to get {certid}: {error}", error) from error
        if response.get("UnprocessedKeys"):
            raise GetError(f"Failed to get {certid}: got no capacity for {', '.join(response['UnprocessedKeys'])}")
        row, certificate = (next(iter(response["Responses"].get(table, ())), None) for table in tables)
        if row is None:
            return None
        device = device_of(LedgerRow.from_raw_data(row))
        first = pem_of(certificate["pem"]["B"]) if certificate else device.devicecert
        if device.certificates == (certid,):
            return replace(device, devicecert=first)
        renewed = [each for each in device.certificates if each != certid]
        pems = read_pems(renewed, consistent=True)
        pending = pems[device.pending] if device.pending else None
        return replace(device, devicecert=pems.get(device.current, first), pending_pem=pending)

    def certificate(self, device: Device) -> str | None:
        """Return the certificate in use of a device in PEM, or None if it was never admitted."""
        if device.devicecert is not None or not device.certified:
            return device.devicecert
        return pem_of(CertificateRow.get(device.current, consistent_read=True).pem)

    def history(self, certid: Fingerprint) -> list[Entry]:
        """Return the history of a device, oldest entry first. Raise `ValueError` if an item is not a valid entry."""
        return [entry_of(row) for row in HistoryRow.query(certid, consistent_read=True)]

    def entries(self, certid: Fingerprint) -> list[Entry | Unreadable]:
        """Return the history with its invalid items, for verification."""
        pages: Iterator[Any] = HistoryRow.query(certid, consistent_read=True).page_iter
        return [entry_of_item(item) for page in pages for item in page["Items"]]

    def latest(self, certid: Fingerprint, count: int) -> list[Entry]:
        """Return the last `count` entries of a device's history, newest first."""
        newest = HistoryRow.query(certid, consistent_read=True, scan_index_forward=False, limit=count)
        return [entry_of(row) for row in newest]

    def entry(self, certid: Fingerprint, seq: int) -> Entry | None:
        """Return one entry of a device's history, or None if there is none with this number."""
        try:
            return entry_of(HistoryRow.get(certid, seq, consistent_read=True))
        except DoesNotExist:
            return None

    def last_entry(self, certid: Fingerprint) -> Entry | None:
        return next(iter(self.latest(certid, 1)), None)

    def name_holder(self, name: str) -> Fingerprint | None:
        """Return the certificate that holds a thing name, if there is one."""
        holder = _holder(name)
        return None if holder == RESERVED else holder

    @staticmethod
    def holder_or_claim(name: str) -> Fingerprint | None:
        """Return the certificate that holds a thing name. Raise `SerialNumberClaimed` if a claim of the serial number
        holds it."""
        holder = _holder(name)
        if holder == RESERVED:
            raise SerialNumberClaimed
        return holder

    def replaceable_holder(self, name: ThingName, certid: Fingerprint) -> Fingerprint | None:
        """Return the current holder of the name, if `certid` can take the name over: a revoked certificate gives its
        name to its successor. Raise `Conflict` NAME_TAKEN otherwise, or `SerialNumberClaimed`."""
        holder = self.holder_or_claim(name)
        if holder is None or holder == certid:
            return None
        device = self.get(holder)
        if device is None or device.devstate is State.REVOKED:
            return holder
        raise Conflict("NAME_TAKEN", f"got the name {name!r}, held by certificate {holder}; want one that is free")


def _holder(name: str) -> Fingerprint | None:
    try:
        return Fingerprint(NameRow.get(name, consistent_read=True).certid)
    except DoesNotExist:
        return None
