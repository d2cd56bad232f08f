"""What a claim asks for, and a row of a list of claims: checked values, before anything is sent.

The rule of what may be a device's config is the ledger's own.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, Target, shown
from lobby.wire import Config, parse_config


@dataclass(frozen=True)
class Wish:
    """Where devices shall go. None leaves the profile or config to the lobby."""

    target: Target
    profile: str | None = None
    config: Config | None = None

    @property
    def key(self) -> str:
        """The same for wishes that are the same."""
        return json.dumps([str(self.target), self.profile, self.config], sort_keys=True)


@dataclass(frozen=True)
class Row:
    """A claim to make. `line` is where it stands in its file, or its place among the arguments."""

    line: int
    certid: Fingerprint
    wish: Wish


def read_config(text: str | None) -> Config | None:
    """A config as it is typed: JSON where it begins like an object or a list, else text. None for none.

    Raises `InvalidInput` INVALID_CONFIG."""
    if text is None:
        return None
    config: Config = text
    if text.lstrip().startswith(("{", "[")):
        try:
            config = json.loads(text)
        except (ValueError, RecursionError) as fault:
            raise InvalidInput("INVALID_CONFIG", f"got {shown(text)}, want JSON ({fault})") from None
    return parse_config(config)


def in_chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows that can be sent together: of one wish, at most `size`, in the order in which they first came."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.wish.key, []).append(row)
    for group in groups.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))
