"""Commands that an administrator runs with AWS_REGION, as the runbooks state, use that Region."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lobby.ledger.connection import aws_session


def test_the_session_uses_aws_region_without_any_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    with ThreadPoolExecutor(1) as pool:  # a session of its own
        assert pool.submit(lambda: aws_session().get_config_variable("region")).result() == "eu-north-1"
