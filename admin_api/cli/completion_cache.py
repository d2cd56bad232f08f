"""The last completions of devices, in one file of the user's configuration directory with mode 0600.

A file that is missing, damaged, too old or of another version counts as empty. A file that cannot be written stays as
it is. So a completion never fails because of the cache.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from lobby import strict_json

SECONDS: Final = 30.0
Words = list[tuple[str, str]]


class CompletionCache:
    """The last completions, in `directory`. `timestamp` returns the seconds since 1970."""

    def __init__(self, directory: Path, timestamp: Callable[[], float]) -> None:
        self._path, self._timestamp = directory / "completion.json", timestamp

    def get(self, key: str) -> Words | None:
        """Return the value that was stored under `key` less than `SECONDS` ago."""
        try:
            body = strict_json.loads(self._path.read_text(encoding="utf-8"))
            if body["key"] != key or not 0 <= self._timestamp() - body["at"] < SECONDS:
                return None
            return [(str(word), str(text)) for word, text in body["words"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, key: str, words: Sequence[tuple[str, str]]) -> None:
        """Replace the file."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".completion-")
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump({"key": key, "at": self._timestamp(), "words": list(words)}, out)
            Path(name).replace(self._path)
