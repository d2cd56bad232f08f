"""The documents of shadows: which parts are copied, and the update that turns one shadow into another.

An update merges objects key by key, and a null removes a key (AWS IoT developer guide, "Device Shadow service
documents"). Versions, metadata and deltas are not copied: AWS IoT creates these for the new shadow. The metadata has
the time of each value, which shows whether a shadow was written after a move was requested.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from lobby import strict_json
from lobby.errors import InvalidInput

SECTIONS: Final = ("desired", "reported")
MAX_BYTES: Final = 8 * 1024
"""The largest state document (AWS IoT Device Shadow quotas)."""
State = Mapping[str, Any]


@dataclass(frozen=True)
class Shadow:
    """A shadow: `state` has the sections that are not empty; `written` are the times of its values, in seconds."""

    state: State = field(default_factory=dict)
    version: int | None = None
    written: frozenset[int] = frozenset()

    def is_written_since(self, at: str) -> bool:
        """Return whether a value was written in the second of `at` (ISO 8601) or later."""
        return any(each >= int(datetime.fromisoformat(at).timestamp()) for each in self.written)


def parse_shadow(payload: bytes | str) -> Shadow:
    """Return the shadow of a response to GetThingShadow. Raise `InvalidInput` INVALID_SHADOW."""
    try:
        document = strict_json.loads(payload)
        found = document["state"]
        state = {section: found[section] for section in SECTIONS if found.get(section)}
        metadata = {section: document.get("metadata", {}).get(section) for section in SECTIONS}
        times = frozenset(int(each) for section in state for each in _times(metadata[section]))
        return Shadow(state, int(document["version"]), times)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput("INVALID_SHADOW", f"got an invalid shadow ({type(error).__name__})") from error


def updates(present: State, wanted: State) -> list[bytes]:
    """Return the requests that turn `present` into `wanted`, without versions. There are none if both are equal, and
    two if a single request would be too large. The first of two removes both sections. Between them, the shadow is
    empty and has no times, so a repetition after an interruption finds nothing to keep and makes the second."""
    if is_same(present, wanted):
        return []
    change = {name: _change(present.get(name, {}), wanted.get(name, {})) for name in SECTIONS}
    one = encoded({name: value for name, value in change.items() if value})
    if len(one) <= MAX_BYTES or not present:
        return [one]
    return [encoded(dict.fromkeys(SECTIONS)), encoded(wanted)]


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values are the same in JSON, where 1 and true differ."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def encoded(state: State, version: int | None = None) -> bytes:
    """Return a request of UpdateThingShadow. With `version`, AWS IoT refuses the request if the shadow has another
    version."""
    expected = {} if version is None else {"version": version}
    return json.dumps({"state": state} | expected, separators=(",", ":"), ensure_ascii=False).encode()


def with_version(request: bytes, version: int | None) -> bytes:
    return encoded(strict_json.loads(request)["state"], version)


def _change(present: Any, wanted: Any) -> dict[str, Any]:
    removed: dict[str, Any] = {key: None for key in present if key not in wanted}
    for key, value in wanted.items():
        old = present.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and old:
            inner = _change(old, value)
            removed |= {key: inner} if inner else {}
        elif key not in present or not is_same(old, value):
            removed[key] = value
    return removed


def _times(metadata: Any) -> Iterator[Any]:
    """Yield the times in the metadata of a section, which has an object for each value and a list for each list."""
    if isinstance(metadata, list):
        for each in metadata:
            yield from _times(each)
    elif isinstance(metadata, dict):
        for name, each in metadata.items():
            if name == "timestamp" and isinstance(each, int | float):
                yield each
            else:
                yield from _times(each)
