"""What the command line asks, against what the API answers; and that the one does without the other."""

import subprocess
import sys
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from admin_api.cli import documents
from admin_api.cli.documents import ALL, MOST_ALIASES, Document
from admin_api.graphql import limits

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = build_schema((ROOT / "admin_api" / "schema.graphql").read_text())


@pytest.mark.parametrize("document", ALL, ids=lambda document: " ".join(document.text.split())[:60])
def test_every_document_fits_the_schema(document: Document) -> None:
    assert validate(SCHEMA, parse(document.text)) == []


def test_the_documents_are_all_listed() -> None:
    made = {value for value in vars(documents).values() if isinstance(value, Document)}
    assert made <= set(ALL)


def test_many_devices_in_one_request_are_within_the_apis_limits() -> None:
    text = documents.devices_by_fingerprint(MOST_ALIASES).text
    assert limits.MAX_ALIASES >= MOST_ALIASES
    assert text.count("...known") == MOST_ALIASES


def test_what_changes_something_and_could_do_so_twice_is_not_repeated() -> None:
    assert [document for document in ALL if not document.repeatable] == [
        documents.CONFIRM,
        documents.RELEASE,
        documents.RETRY,
    ]


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("admin_api.handler", ("admin_api.cli", "typer", "httpx", "rich")),
        (
            "admin_api.cli.app",
            ("admin_api.web.app", "strawberry", "pynamodb", "boto3", "infra", "oauthlib", "PIL", "zxingcpp"),
        ),
    ],
)
def test_the_api_and_the_command_line_do_without_each_other(module: str, without: tuple[str, ...]) -> None:
    script = f"import sys, {module}; print([name for name in {without!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
