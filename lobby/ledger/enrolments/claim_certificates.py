"""The claim certificates of all enrolments, as items of the table of enrolments.

An item is written before its certificate is active in AWS IoT, and states whether it is active there, so that an
interrupted change is completed later (`lobby.doors.claim_registrations`).
"""

from dataclasses import replace

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.enrolments.claim_certificate import CertificateActivity, ClaimCertificate, Source
from lobby.domain.enrolments.enrolment import EnrolmentEntry
from lobby.errors import Conflict, NotFound
from lobby.ledger.commits import Put, committed
from lobby.ledger.enrolments.enrolment_register import entry_row
from lobby.ledger.table_calls import Calls
from lobby.names import EnrolmentName, Fingerprint

_KIND = "certificate"


class ClaimCertificateRow(Model):
    """A claim certificate. One partition: there are few, and all are listed together."""

    class Meta(Calls):
        table_name = NAMES.name("enrolments")

    kind = UnicodeAttribute(hash_key=True, default=_KIND)
    name = UnicodeAttribute(range_key=True)
    enrolment = UnicodeAttribute()
    expires = UnicodeAttribute()
    source = UnicodeAttribute()
    createdby = UnicodeAttribute()
    createdat = UnicodeAttribute()
    creates_keys = BooleanAttribute(null=True, attr_name="createskeys")
    activity = UnicodeAttribute()
    revokedat = UnicodeAttribute(null=True)
    key = UnicodeAttribute(null=True)


class ClaimCertificates:
    """The register of claim certificates."""

    @staticmethod
    def find(certid: Fingerprint) -> ClaimCertificate | None:
        """Return a claim certificate as it is now."""
        try:
            return _certificate_of(ClaimCertificateRow.get(_KIND, certid, consistent_read=True))
        except DoesNotExist:
            return None

    def get(self, certid: Fingerprint) -> ClaimCertificate:
        """Return a claim certificate. Raise `NotFound` UNKNOWN_CLAIM_CERTIFICATE."""
        found = self.find(certid)
        if found is None:
            raise NotFound("UNKNOWN_CLAIM_CERTIFICATE", f"got {certid}, want the fingerprint of a claim certificate")
        return found

    @staticmethod
    def all() -> list[ClaimCertificate]:
        """Return all claim certificates, with one query, in the order of their creation."""
        found = [_certificate_of(row) for row in ClaimCertificateRow.query(_KIND, consistent_read=True)]
        return sorted(found, key=lambda each: (each.createdat, each.certid))

    def of(self, enrolment: EnrolmentName) -> list[ClaimCertificate]:
        return [each for each in self.all() if each.enrolment == enrolment]

    @staticmethod
    def add(certificate: ClaimCertificate, entry: EnrolmentEntry) -> bool:
        """Write a new certificate, with an entry of its enrolment's history. Return False if it exists."""
        put = Put(_row_of(certificate), ClaimCertificateRow.kind.does_not_exist())
        return committed(put, Put(entry_row(certificate.enrolment, entry)))

    def revoke(self, certid: Fingerprint, at: str, entry: EnrolmentEntry) -> ClaimCertificate:
        """Record that a certificate is revoked. Repeating it changes nothing. Raise `NotFound`
        UNKNOWN_CLAIM_CERTIFICATE, or `Conflict` CHANGED_MEANWHILE."""
        found = self.get(certid)
        if found.revokedat is not None:
            return found
        revoked = replace(found, revokedat=at)
        same = (ClaimCertificateRow.activity == found.activity.value) & ClaimCertificateRow.revokedat.does_not_exist()
        if not committed(Put(_row_of(revoked), same), Put(entry_row(found.enrolment, entry))):
            raise Conflict("CHANGED_MEANWHILE", f"got {certid}, which was changed just now; try again")
        return revoked

    @staticmethod
    def set_activity(certificate: ClaimCertificate, activity: CertificateActivity) -> None:
        """Record whether a certificate is active in AWS IoT. Two runs at the same time do the same."""
        ClaimCertificateRow(_KIND, certificate.certid).update(
            actions=[ClaimCertificateRow.activity.set(activity.value)], condition=ClaimCertificateRow.kind.exists()
        )


def _certificate_of(row: ClaimCertificateRow) -> ClaimCertificate:
    return ClaimCertificate(
        Fingerprint(row.name),
        EnrolmentName(row.enrolment),
        row.expires,
        Source(row.source),
        row.createdby,
        row.createdat,
        bool(row.creates_keys),
        CertificateActivity(row.activity),
        row.revokedat,
        row.key,
    )


def _row_of(certificate: ClaimCertificate) -> ClaimCertificateRow:
    return ClaimCertificateRow(
        _KIND,
        certificate.certid,
        enrolment=certificate.enrolment,
        expires=certificate.expires,
        source=certificate.source.value,
        createdby=certificate.createdby,
        createdat=certificate.createdat,
        creates_keys=certificate.creates_keys or None,
        activity=certificate.activity.value,
        revokedat=certificate.revokedat,
        key=certificate.key,
    )
