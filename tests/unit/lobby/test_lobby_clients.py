"""Clients are created during Lambda's initialisation, and elsewhere at the first use."""

import pytest

from lobby.aws.clients import at_init


def test_in_lambda_the_factory_runs_at_once_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "device-lobby-bouncer")
    created: list[int] = []
    factory = at_init(lambda: created.append(1))
    assert created == [1]
    factory()
    assert created == [1]


def test_elsewhere_the_factory_runs_at_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    created: list[int] = []
    factory = at_init(lambda: created.append(1))
    assert created == []
    factory()
    factory()
    assert created == [1]


def test_an_error_during_initialisation_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "device-lobby-bouncer")

    def fail() -> None:
        raise ValueError("no settings")

    with pytest.raises(ValueError, match="no settings"):
        at_init(fail)
