"""The API's client repeats a request that Lambda throttled: it did not run. It repeats no other request."""

import httpx
import pytest

from infra.local import api
from infra.local.api import DELAY, MAX_ATTEMPTS, Api, ApiRefused
from infra.local.lobby_file import LobbyFile, LocalOperator
from tests.infra.local.example_lobby_file import FILE

THROTTLED = (429, {"__type": "TooManyRequestsException", "message": "Rate Exceeded"})
LIMITED = (429, {"errors": [{"message": "got 61 claims, want 60", "extensions": {"code": "RATE_LIMITED"}}]})
DONE = (200, {"data": {"done": True}})


class Responses:
    """Answers with one response after the other, and repeats the last."""

    def __init__(self, *responses: tuple[int, object]) -> None:
        self._responses = list(responses)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, body = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        return httpx.Response(status, json=body)


def client(monkeypatch: pytest.MonkeyPatch, responses: Responses) -> Api:
    def signed_in(lobby: LobbyFile, operator: LocalOperator) -> str:
        return "token"

    monkeypatch.setattr(api, "sign_in", signed_in)
    return Api(FILE, FILE.operators[0], responses.waits.append, httpx.MockTransport(responses))


def test_a_throttled_request_is_repeated_until_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    responses = Responses(THROTTLED, THROTTLED, DONE)
    assert client(monkeypatch, responses).ask("mutation { done }") == {"done": True}
    assert responses.waits == [DELAY, DELAY]


def test_a_request_that_stays_throttled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    responses = Responses(THROTTLED)
    with pytest.raises(ApiRefused, match="Rate Exceeded"):
        client(monkeypatch, responses).ask("mutation { done }")
    assert len(responses.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("response", "code"), [(LIMITED, "RATE_LIMITED"), ((502, {"message": "Internal Server Error"}), "502")]
)
def test_a_request_that_ran_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, response: tuple[int, object], code: str
) -> None:
    responses = Responses(response)
    with pytest.raises(ApiRefused) as refused:
        client(monkeypatch, responses).ask("mutation { done }")
    assert (refused.value.code, len(responses.requests)) == (code, 1)
