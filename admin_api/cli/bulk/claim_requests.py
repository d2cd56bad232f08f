"""Claim requests and the rows of a claim list. Their values are checked before anything is sent."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lobby import strict_json
from lobby.chunks import chunks
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, Target, ThingName, shown
from lobby.wire import Config, parse_config


@dataclass(frozen=True)
class ClaimRequest:
    """The target, profile and config of a claim. With None the lobby chooses the profile or config."""

    target: Target
    profile: str | None = None
    config: Config | None = None

    @property
    def key(self) -> str:
        """A key that is equal for equal requests."""
        return json.dumps([str(self.target), self.profile, self.config], sort_keys=True)


@dataclass(frozen=True)
class ClaimRow:
    """A claim to make. `line` is its line in the file, or its number among the arguments. `expected_name` is the thing
    name that the list has for the device."""

    line: int
    certid: Fingerprint
    request: ClaimRequest
    expected_name: ThingName | None = None


def read_config(text: str | None) -> Config | None:
    """Return the config that `text` contains: JSON if it starts like an object or a list, otherwise plain text.

    Raise `InvalidInput` INVALID_CONFIG."""
    if text is None:
        return None
    config: Config = text
    if text.lstrip().startswith(("{", "[")):
        try:
            config = strict_json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("INVALID_CONFIG", f"got {shown(text)}, want JSON ({error})") from None
    return parse_config(config)


def in_chunks(rows: Iterable[ClaimRow], size: int) -> Iterator[list[ClaimRow]]:
    """Yield rows with the same request, at most `size` together, ordered by each request's first row."""
    groups: dict[str, list[ClaimRow]] = {}
    for row in rows:
        groups.setdefault(row.request.key, []).append(row)
    for group in groups.values():
        yield from chunks(group, size)
