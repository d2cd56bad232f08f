"""The calls of a deployment to AWS, recorded instead of made."""

from typing import Any


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

    def __init__(self) -> None:
        super().__init__()
        self.stack = DeployedStack()

    def contexts(self) -> list[dict[str, Any]]:
        return [call[2] for call in self if call[0] == "synth"]


def recorded_removal(name: str, calls: list[Any]) -> Any:
    class Recorded:
        def __init__(self, _session: Any, where: Any, _report: Any) -> None:
            self.where = str(where)

        def stop_admissions(self) -> None:
            calls.append(("stop admissions", self.where))

        def run(self, *, keep_devices: bool) -> None:
            calls.append((name, self.where, keep_devices))

    return Recorded
