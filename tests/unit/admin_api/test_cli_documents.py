"""The command line's GraphQL documents are valid against the API's schema."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from admin_api.cli.documents import MAX_ALIASES, Document
from admin_api.cli.documents import campaigns as campaign_documents
from admin_api.cli.documents import devices as documents
from admin_api.cli.documents import enrolments as enrolment_documents
from admin_api.cli.documents import regions as region_documents
from admin_api.cli.documents import serials as serial_documents
from admin_api.cli.documents import standbys as standby_documents
from admin_api.cli.documents import transfers as transfer_documents
from admin_api.cli.documents import users as user_documents
from admin_api.cli.documents import webhooks as webhook_documents
from admin_api.graphql import limits

ROOT = Path(__file__).resolve().parents[3]
ALL = (
    documents.ALL
    + enrolment_documents.ALL
    + campaign_documents.ALL
    + webhook_documents.ALL
    + standby_documents.ALL
    + serial_documents.ALL
    + transfer_documents.ALL
    + user_documents.ALL
    + region_documents.ALL
)
SCHEMA = build_schema((ROOT / "admin_api" / "schema.graphql").read_text())


@pytest.mark.parametrize("document", ALL, ids=lambda document: " ".join(document.text.split())[:60])
def test_every_document_is_valid(document: Document) -> None:
    assert validate(SCHEMA, parse(document.text)) == []


def test_all_documents_are_listed() -> None:
    modules = (
        documents,
        enrolment_documents,
        campaign_documents,
        webhook_documents,
        standby_documents,
        serial_documents,
        transfer_documents,
        user_documents,
        region_documents,
    )
    defined = {value for module in modules for value in vars(module).values() if isinstance(value, Document)}
    assert defined <= set(ALL)


def test_a_request_for_many_devices_is_within_the_apis_limits() -> None:
    text = documents.devices_by_fingerprint(MAX_ALIASES).text
    assert limits.MAX_ALIASES >= MAX_ALIASES
    assert text.count("...fields") == MAX_ALIASES


def test_documents_that_must_not_be_sent_twice_are_not_repeatable() -> None:
    assert [document for document in ALL if not document.repeatable] == [
        documents.REMOVE_TARGET,
        documents.CONFIRM,
        webhook_documents.ADD_WEBHOOK,
        webhook_documents.ROTATE_SECRET,
        webhook_documents.REMOVE_WEBHOOK,
        webhook_documents.TEST_WEBHOOK,
        standby_documents.DRILL,
    ]
