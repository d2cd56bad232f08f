"""The answer of the operator's function that chooses a target: JSON, or `HookFailed` with the cause."""

import io
import json
from typing import Any

import pytest

from lobby.aws.allocation_hook import HookFailed, invoke


class _Function:
    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def invoke(self, **_: object) -> dict[str, object]:
        return {"Payload": io.BytesIO(self._answer)}


def answer(content: bytes) -> Any:
    function: Any = _Function(content)
    return invoke("choose", {"name": "pump-1"}, lambda _: function)


def test_an_answer_is_parsed() -> None:
    assert answer(json.dumps({"target": "a"}).encode()) == {"target": "a"}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'{"account": "1", "region": "eu-west-1", "account": "2"}', "got 'account' twice in an object"),
        (b'{"target": {"config": {"a": 1, "\\u0061": 2}}}', "got 'a' twice in an object"),
        (b'{"target": NaN}', "want JSON"),
        (b"\xff", "want JSON"),
        (b"[" * 5_000, "want JSON"),
    ],
)
def test_an_answer_that_is_ambiguous_or_not_json_is_a_failure_with_its_cause(content: bytes, cause: str) -> None:
    with pytest.raises(HookFailed, match=cause):
        answer(content)
