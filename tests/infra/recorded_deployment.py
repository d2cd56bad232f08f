"""The calls of a deployment to AWS, recorded instead of made."""

from pathlib import Path
from typing import Any

import pytest

from infra.bundling import earlier_console
from infra.cloud import __main__ as commands
from infra.cloud import contexts, quotas, region_trust


class DeployedStack:
    """The lobby's stack: with this status, resources and outputs."""

    def __init__(self) -> None:
        self.found: str | None = None
        self.pools: list[str] = []

    def status(self) -> str | None:
        return self.found

    def resources(self, _kind: str) -> list[str]:
        return self.pools

    def outputs(self) -> dict[str, str]:
        return {"UserPoolId": self.pools[0]} if self.pools else {}


class RecordedCalls(list[Any]):
    """The calls, and the stack that is deployed."""

    stack: Any
    adoptable = False
    elsewhere: str | None = None
    iot_logs: dict[str, str] = {}  # noqa: RUF012  # replaced, never changed

    def __init__(self) -> None:
        super().__init__()
        self.stack = DeployedStack()

    def contexts(self) -> list[dict[str, Any]]:
        return [call[2] for call in self if call[0] == "synth"]


def record_lobby_deployments(monkeypatch: pytest.MonkeyPatch) -> RecordedCalls:
    """Record the synthesis of the lobby's stacks, each with its account and Region and its context. The rest of their
    deployment does nothing."""
    calls = RecordedCalls()

    def synthesize(_name: str, context: dict[str, Any]) -> Path:
        calls.append(("synth", context["lobby"], context))
        return Path("assembly")

    monkeypatch.setattr(commands, "synthesize", synthesize)
    monkeypatch.setattr(commands, "deploy", lambda *_: {})
    monkeypatch.setattr(earlier_console, "keep", lambda *_: None)
    monkeypatch.setattr(quotas, "report", lambda *_: [])
    monkeypatch.setattr(contexts, "iot_logs_context", lambda *_: calls.iot_logs)
    monkeypatch.setattr(contexts, "require_usable", lambda *_: None)
    monkeypatch.setattr(region_trust, "report", lambda callers: [f"compared {' '.join(c.region for c in callers)}"])
    monkeypatch.setattr(commands, "Stack", lambda *_: calls.stack)
    monkeypatch.setattr(commands, "ensure_bootstrapped", lambda *_: None)
    return calls


def recorded_removal(name: str, calls: list[Any]) -> Any:
    class Recorded:
        def __init__(self, _session: Any, where: Any, _report: Any) -> None:
            self.where = str(where)

        def require_own_rules(self) -> None:
            calls.append(("rules", self.where))

        def stop_admissions(self) -> None:
            calls.append(("stop admissions", self.where))

        def run(self, *, keep_devices: bool) -> None:
            calls.append((name, self.where, keep_devices))

    return Recorded
