"""A fake of the part of EventBridge's client that the publisher uses."""

import json
from collections.abc import Callable
from typing import Any


class FakeBus:
    """EventBridge: records what it accepts; `refuses` decides by event and attempt. It has one rule, for all events; a
    page has one rule."""

    def __init__(self) -> None:
        self.patterns: list[Any] = [{"source": ["device-lobby"]}]
        self.listed = 0
        self.rules_fail: Exception | None = None
        self.accepted: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.refuses: Callable[[dict[str, Any], int], bool] = lambda _event, _call: False
        self.fails: Exception | None = None

    def put_events(self, *, Entries: Any) -> Any:  # noqa: N803  # EventBridge's name
        self.calls.append(len(Entries))
        if self.fails:
            raise self.fails
        results: list[dict[str, str]] = []
        for entry in Entries:
            detail = json.loads(entry["Detail"])
            if self.refuses(detail, len(self.calls)):
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"})
            else:
                self.accepted.append(entry)
                results.append({"EventId": "1"})
        return {"Entries": results}

    def list_rules(self, *, EventBusName: str, NextToken: str = "0") -> Any:  # noqa: N803  # EventBridge's names
        assert EventBusName == "device-lobby"
        self.listed += NextToken == "0"
        if self.rules_fail:
            raise self.rules_fail
        at = int(NextToken)
        rules = [{"Name": str(at), "State": "ENABLED", "EventPattern": json.dumps(self.patterns[at])}]
        return {"Rules": rules} | ({"NextToken": str(at + 1)} if at + 1 < len(self.patterns) else {})

    @property
    def ids(self) -> list[str]:
        return [json.loads(entry["Detail"])["id"] for entry in self.accepted]
