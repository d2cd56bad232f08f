"""Signs in through the lobby's sign-in page in a browser (authorization code with PKCE), and signs out.

The user's password never passes through this process. The callback server starts before the browser opens. It stops
after the first response or the time limit of the sign-in.
"""

import contextlib
from collections.abc import Callable

import httpx

from admin_api.cli.api.http import send
from admin_api.cli.environment import Environment
from admin_api.cli.errors import NotSignedIn
from admin_api.cli.sign_in import oauth
from admin_api.cli.sign_in.callback_server import CallbackServer
from admin_api.cli.sign_in.profiles import Profile
from admin_api.cli.sign_in.session import FORM

Notify = Callable[[str], None]


def sign_in(url: str, http: httpx.Client, environment: Environment, notify: Notify) -> Profile:
    """Sign in to the lobby at `url`; `notify` shows a message to the user.

    Raise `NotSignedIn`, `Unreachable` or `InvalidInput`."""
    endpoints = oauth.read_endpoints(send(http, f"{url}/sign-in.json", "GET"))
    redirect_uri = f"http://localhost:{environment.redirect_port}/"
    request = oauth.authorization_request(endpoints, redirect_uri, environment.make_secret())

    def check(query: str) -> NotSignedIn | None:
        try:
            oauth.authorization_code(request, query)
        except NotSignedIn as error:
            return error
        return None

    with CallbackServer(check, environment.redirect_port) as server:
        _open(request.url, environment, notify)
        query = server.wait(environment.sign_in_seconds)
    form = oauth.code_form(request, oauth.authorization_code(request, query))
    tokens = oauth.read_tokens(send(http, endpoints.token_url, content=form, headers=FORM))
    now = environment.timestamp()
    return Profile(
        url,
        endpoints.client_id,
        endpoints.token_url,
        endpoints.revoke_url,
        tokens.access_token,
        tokens.refresh_token,
        expires_at=now + tokens.expires_in,
        signed_in_at=now,
    )


def sign_out(profile: Profile, http: httpx.Client) -> bool:
    """Revoke the refresh token (RFC 7009) and the access tokens issued with it.

    Return False if the lobby has no revocation endpoint. Raise `Unreachable` or `NotSignedIn`."""
    if profile.revoke_url is None or profile.refresh_token is None:
        return False
    form = {"token": profile.refresh_token, "client_id": profile.client_id}
    response = send(http, profile.revoke_url, data=form)
    if response.status != httpx.codes.OK:
        message = f"got HTTP {response.status} from {response.url}, want the sign-in revoked"
        raise NotSignedIn("SIGN_IN_FAILED", message)
    return True


def _open(url: str, environment: Environment, notify: Notify) -> None:
    opened = False
    with contextlib.suppress(OSError):
        opened = environment.open_browser(url)
    if opened:
        notify("Sign in in the browser. If it does not open, go to:")
    else:
        port = environment.redirect_port
        tunnel = f"ssh -L {port}:localhost:{port}"
        notify(f"Open this address in a browser on this machine (or on another one, through {tunnel}):")
    notify(url)
