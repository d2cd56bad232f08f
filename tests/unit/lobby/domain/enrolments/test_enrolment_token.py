"""Enrolment tokens: creation, parsing of the header, verification, and the conditions of a use."""

import base64
import secrets
from dataclasses import replace

import pytest

from lobby.domain.enrolments.enrolment_token import (
    ISSUES_PER_USE,
    Credentials,
    EnrolmentToken,
    TokenState,
    TokenUse,
    digest_of,
    new_credentials,
    parse_authorization,
    refusal_of_token,
    refusal_of_use,
)
from lobby.names import EnrolmentName, TokenId
from tests.unit.lobby.domain.sample_enrolments import AT, EARLIER, LATER

MADE = new_credentials(EnrolmentName("pumps"), secrets.token_bytes)
TOKEN = EnrolmentToken(MADE.id, digest_of(MADE.secret), "user:ann", EARLIER, LATER, limit=2)
HEADER = f"{MADE.id} {MADE.secret}"


def test_a_token_has_256_random_bits_and_is_read_from_the_header() -> None:
    assert parse_authorization(HEADER) == MADE
    assert new_credentials(EnrolmentName("pumps"), secrets.token_bytes).secret != MADE.secret
    last = new_credentials(EnrolmentName("pumps"), lambda size: b"\xff" * size).secret
    assert base64.urlsafe_b64decode(f"{last}=") == b"\xff" * 32


def test_no_text_of_these_objects_has_the_secret() -> None:
    texts = f"{MADE!r} {MADE} {TOKEN!r} {TokenUse(TOKEN, counts=True)!r}"
    assert MADE.secret not in texts
    assert TOKEN.digest not in texts


MALFORMED: dict[str, object] = {
    "missing": None,
    "empty": "",
    "the secret only": MADE.secret,
    "the identifier only": MADE.id,
    "another scheme": f"Bearer {MADE.secret}",
    "two spaces": f"{MADE.id}  {MADE.secret}",
    "a space at the end": f"{HEADER} ",
    "a line break": f"{HEADER}\n",
    "a short secret": HEADER[:-1],
    "a long secret": f"{HEADER}A",
    "upper case": HEADER.upper(),
    "no enrolment": HEADER.removeprefix("pumps"),
    "a separator of keys": HEADER.replace("pumps", "pumps#x"),
    "very long": HEADER + "A" * 10_000,
    "a number": 1,
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_header_has_no_credentials(case: str) -> None:
    assert parse_authorization(MALFORMED[case]) is None


def test_details_are_returned_only_for_the_right_secret() -> None:
    wrong, revoked = "A" * 43, replace(TOKEN, revokedat=EARLIER)
    assert _code(None, MADE.secret) == "TOKEN_UNKNOWN"
    assert [_code(each, wrong) for each in (TOKEN, revoked)] == ["TOKEN_WRONG", "TOKEN_WRONG"]
    assert _code(revoked, MADE.secret) == "TOKEN_REVOKED"
    assert _code(replace(TOKEN, expires=AT), MADE.secret) == "TOKEN_EXPIRED"
    assert _code(TOKEN, MADE.secret) is None
    assert _code(replace(TOKEN, uses=2, issued=10), MADE.secret) is None


def _code(token: EnrolmentToken | None, secret: str) -> str | None:
    refusal = refusal_of_token(token, secret, AT)
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("uses", "issued", "counts", "code"),
    [
        (1, 1, True, None),
        (2, 2, True, "TOKEN_USED_UP"),
        (2, 2, False, None),
        (2, 2 * ISSUES_PER_USE - 1, False, None),
        (2, 2 * ISSUES_PER_USE, False, "TOKEN_USED_UP"),
        (1, 2 * ISSUES_PER_USE, True, "TOKEN_USED_UP"),
    ],
)
def test_a_use_needs_one_that_is_left(uses: int, issued: int, counts: bool, code: str | None) -> None:
    refusal = refusal_of_use(TokenUse(replace(TOKEN, uses=uses, issued=issued), counts), AT)
    assert (refusal.code if refusal else None) == code


def test_the_state_is_the_strongest_reason() -> None:
    ended = replace(TOKEN, expires=AT, uses=2)
    assert TOKEN.state(AT) is TokenState.ACTIVE
    assert replace(TOKEN, uses=2).state(AT) is TokenState.USED_UP
    assert ended.state(AT) is TokenState.EXPIRED
    assert replace(ended, revokedat=EARLIER).state(AT) is TokenState.REVOKED


def test_the_identifier_names_the_enrolment() -> None:
    assert TOKEN.enrolment == "pumps"
    assert Credentials(TokenId("a-b.aaaaaaaaaa"), "x").id.startswith("a-b.")
