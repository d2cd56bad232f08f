"""Signing in through a browser, and out again: the lobby's own sign-in page, code with PKCE, an answer on loopback.

Nobody's password passes through here. The listener is there before the browser is sent away, and gone with the answer
or after five minutes.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from admin_api.cli import oauth
from admin_api.cli.errors import NotSignedIn
from admin_api.cli.http import exchange
from admin_api.cli.loopback import Loopback
from admin_api.cli.profiles import Profile
from admin_api.cli.session import FORM


@dataclass(frozen=True)
class Means:
    """What a sign-in needs. `browse` opens an address and says whether it could; `secret` gives an unguessable text;
    `tell` speaks to the person; `clock` gives the seconds since 1970. The browser comes back to `port` within
    `patience` seconds."""

    browse: Callable[[str], bool]
    secret: Callable[[], str]
    tell: Callable[[str], None]
    clock: Callable[[], float]
    port: int
    patience: float


def sign_in(url: str, http: httpx.Client, means: Means) -> Profile:
    """Raises `NotSignedIn`, `Unreachable`, `InvalidInput`."""
    facts = oauth.read_sign_in(exchange(http, f"{url}/sign-in.json", "GET"))
    ceremony = oauth.begin(facts, f"http://localhost:{means.port}/", means.secret())

    def judge(query: str) -> NotSignedIn | None:
        try:
            oauth.code_in(ceremony, query)
        except NotSignedIn as refusal:
            return refusal
        return None

    with Loopback(judge, means.port) as loopback:
        _send(ceremony.address, means)
        query = loopback.wait(means.patience)
    form = oauth.exchange_form(ceremony, oauth.code_in(ceremony, query))
    tokens = oauth.granted(exchange(http, facts.token_url, content=form, headers=FORM))
    now = means.clock()
    return Profile(
        url,
        facts.client_id,
        facts.token_url,
        facts.revoke_url,
        tokens.access_token,
        tokens.refresh_token,
        expires_at=now + tokens.expires_in,
        signed_in_at=now,
    )


def sign_out(profile: Profile, http: httpx.Client) -> bool:
    """Has the refresh token revoked (RFC 7009), and with it what was made of it. False where the lobby has no such
    service. Raises `Unreachable`, `NotSignedIn`."""
    if profile.revoke_url is None or profile.refresh_token is None:
        return False
    form = {"token": profile.refresh_token, "client_id": profile.client_id}
    answer = exchange(http, profile.revoke_url, data=form)
    if answer.status != httpx.codes.OK:
        raise NotSignedIn("SIGN_IN_FAILED", f"got HTTP {answer.status} from {answer.url}, want the sign-in revoked")
    return True


def _send(address: str, means: Means) -> None:
    opened = False
    with contextlib.suppress(OSError):
        opened = means.browse(address)
    if opened:
        means.tell("Sign in in the browser. If none has opened, go to:")
    else:
        tunnel = f"ssh -L {means.port}:localhost:{means.port}"
        means.tell(f"Go to this address in a browser on this machine (or on another, through {tunnel}):")
    means.tell(address)
