"""Stores sign-ins: the lobbies that a user has signed in to, with their tokens, in the user's configuration directory.

There is one file per lobby. It is created with mode 0600 and replaced atomically. A file that other users can read is
refused, because they may have read its tokens. Tokens are never printed.
"""

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from admin_api.cli.errors import NotSignedIn
from lobby import strict_json

_LOGIN = "lobbyctl login --url"


@dataclass(frozen=True)
class Profile:
    """A sign-in to the lobby at `url`. Times are seconds since 1970."""

    url: str
    client_id: str
    token_url: str
    revoke_url: str | None
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: float
    signed_in_at: float

    @property
    def graphql_url(self) -> str:
        return f"{self.url}/graphql"


class Profiles:
    """The sign-ins stored in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "lobbies"

    def get(self, url: str) -> Profile:
        """Return the sign-in to the lobby at `url`. Raise `NotSignedIn`."""
        path = self._path(url)
        if not path.exists():
            raise NotSignedIn("NOT_SIGNED_IN", f"not signed in to {url}: run {_LOGIN} {url}")
        profile = _read(path)
        if profile.url != url:
            raise NotSignedIn("TOKENS_BROKEN", f"got {path}, which is for {profile.url}: run {_LOGIN} {url}")
        return profile

    def latest(self) -> Profile | None:
        """Return the most recent sign-in."""
        return max(self._all(), key=lambda profile: profile.signed_in_at, default=None)

    def store(self, profile: Profile) -> None:
        """Write or replace the profile's file. Raise `OSError`."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        handle, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w") as out:
                out.write(json.dumps(asdict(profile), indent=2) + "\n")
            temporary.replace(self._path(profile.url))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def delete(self, url: str) -> None:
        self._path(url).unlink(missing_ok=True)

    def _all(self) -> Iterator[Profile]:
        for path in sorted(self._directory.glob("*.json")):
            yield _read(path)

    def _path(self, url: str) -> Path:
        return self._directory / f"{re.sub(r'[^a-z0-9.-]', '_', url.partition('://')[2].lower())}.json"


def _read(path: Path) -> Profile:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise NotSignedIn("TOKENS_EXPOSED", f"got {path} with mode {mode:o}, want 600: delete it and sign in again")
    try:
        return _profile(strict_json.loads(path.read_text()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"got {path}, which is not a stored sign-in: delete it and sign in again"
        raise NotSignedIn("TOKENS_BROKEN", message) from error


def _profile(body: dict[str, Any]) -> Profile:
    expires, signed_in = float(body.pop("expires_at")), float(body.pop("signed_in_at"))
    if not all(isinstance(value, str | None) for value in body.values()):
        raise TypeError("a field is not a string")
    return Profile(**body, expires_at=expires, signed_in_at=signed_in)
