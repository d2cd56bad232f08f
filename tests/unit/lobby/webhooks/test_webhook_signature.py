"""Signatures of the Standard Webhooks specification."""

import base64

import pytest

from lobby.webhooks.signature import Secret, headers, new_secret

SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # pragma: allowlist secret
OTHER = Secret("whsec_" + base64.b64encode(b"o" * 24).decode())


def test_a_request_is_signed_as_by_the_reference_library() -> None:
    """The vector of the specification's libraries (libraries/python/tests/test_webhooks.py, `test_sign_function`)."""
    found = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET])
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_give_two_signatures_separated_by_a_space() -> None:
    both = headers("msg_1", 1, b"{}", [SECRET, OTHER])["webhook-signature"].split(" ")
    assert both == [headers("msg_1", 1, b"{}", [each])["webhook-signature"] for each in (SECRET, OTHER)]
    assert len(set(both)) == 2


@pytest.mark.parametrize("change", [("msg_2", 1, b"{}"), ("msg_1", 2, b"{}"), ("msg_1", 1, b"{ }")])
def test_id_time_and_body_are_signed(change: tuple[str, int, bytes]) -> None:
    assert headers(*change, [SECRET])["webhook-signature"] != headers("msg_1", 1, b"{}", [SECRET])["webhook-signature"]


def test_secrets_are_random_and_long() -> None:
    found = {new_secret() for _ in range(10)}
    assert len(found) == 10
    for secret in found:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize("wrong", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_***", SECRET.removeprefix("whsec_")])
def test_text_that_is_not_a_secret_is_rejected_and_not_quoted(wrong: str) -> None:
    with pytest.raises(ValueError, match="got a secret") as failure:
        headers("msg_1", 1, b"{}", [Secret(wrong)])
    assert not wrong or wrong == "whsec_" or wrong not in str(failure.value)
