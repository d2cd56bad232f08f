"""The limits of AWS that the local cloud enforces in strict mode.

Nothing is limited by default. `./deploy.sh local --strict` uses `STRICT`. Tests and benchmarks switch single limits on
and off while the emulator runs (`Emulator.enforce`): the settings are a file in the state directory, which only its
owner can write, and the emulator reads it again when it changes. Rejects negative numbers.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from infra.local.errors import StartFailed
from lobby import strict_json

FILE: Final = "strict.json"


@dataclass(frozen=True)
class Strictness:
    """Which limits apply. The defaults apply to the emulator without strict mode."""

    throttling: bool = False
    """Whether AWS IoT throttles API calls and MQTT packets at AWS's default rates (`ministack/quotas.py`)."""
    rate_share: float = 1.0
    """The share of AWS's rates that applies to API calls. On a busy machine, a tenth of the devices can be measured at
    a tenth of the rates."""
    lambda_concurrency: int = 0
    """Concurrent invocations per account and Region; 0 for no limit of its own. AWS: 1,000, for new accounts 10."""
    transaction_conflicts: bool = False
    """Whether operations on an item conflict while a DynamoDB transaction uses it."""
    policy_delay_seconds: float = 0.0
    """How long changed certificates and policies have no effect on devices."""
    disordered_events: bool = False
    """Whether presence events are duplicated, out of order, and stamped with times that are up to two minutes off."""
    stream_shards: int = 1
    """Shards of a DynamoDB stream. A mapping processes its `ParallelizationFactor` batches of each at a time, in order
    for each partition key."""
    seed: int = 1
    """The seed of the random numbers for `disordered_events`. It applies from the start of the emulator."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0:
                raise StartFailed("INVALID_STRICTNESS", f"got {field.name} {value}, want at least 0")
        if self.stream_shards < 1:
            raise StartFailed("INVALID_STRICTNESS", f"got stream_shards {self.stream_shards}, want at least 1")

    def write(self, state_dir: Path) -> None:
        """Write these settings for the emulator in `state_dir`. A running emulator also applies them."""
        state_dir.mkdir(parents=True, exist_ok=True)
        temporary = state_dir / f"{FILE}.new"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.chmod(0o600)
        temporary.replace(state_dir / FILE)

    @classmethod
    def from_json(cls, text: str) -> "Strictness":
        """Parse what `write` wrote. Raise `ValueError`, `TypeError` or `StartFailed` for anything else."""
        body: dict[str, Any] = strict_json.loads(text)
        return cls(**body)


RELAXED: Final = Strictness()
STRICT: Final = Strictness(
    throttling=True,
    lambda_concurrency=1000,
    transaction_conflicts=True,
    policy_delay_seconds=5.0,
    disordered_events=True,
    stream_shards=4,
)
"""A new on-demand table takes 4,000 write units a second, and each partition 1,000 (DynamoDB developer guide), so its
stream begins with four shards."""


class CurrentStrictness:
    """The settings in `state_dir`, read again when the file changes."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._stamp: tuple[int, int] | None = None
        self._settings = RELAXED

    def __call__(self) -> Strictness:
        """Return the settings. Raise `ValueError`, `TypeError` or `StartFailed` if the file is malformed."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return RELAXED
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._settings = Strictness.from_json(self._path.read_text())
            self._stamp = stamp
        return self._settings
