"""`login`, `logout` and `whoami`: sign in, sign out, and show the user.

A local deployment needs no sign-in, so `login` refuses it. `logout` deletes the stored tokens even if the lobby cannot
revoke them.
"""

from dataclasses import replace
from typing import Annotated

import typer

from admin_api.cli.api.http import open_http
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.lobby_location import LobbyChoice, LocalLobby, local_file
from admin_api.cli.render import cells, details

app = typer.Typer()


@command(app, "login")
def login(
    context: CommandContext,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or print the address.")
    ] = True,
) -> None:
    """Sign in to a lobby with a browser. Not needed for a local deployment.

    --url is the address of the lobby's console. Without it, the last lobby is used.
    """
    from admin_api.cli.sign_in.browser import sign_in  # noqa: PLC0415  # imports oauthlib, which only a sign-in needs

    url, environment = _url(context), context.environment
    if not browser:
        environment = replace(environment, open_browser=lambda _address: False)
    with open_http(url) as http:
        profile = sign_in(url, http, environment, context.screen.note)
    context.profiles.store(profile)
    context.lobby = profile
    me = context.execute(documents.ME)["me"]
    context.screen.result(
        {"url": url, "name": me["name"], "role": me["role"]},
        line=f"Signed in to {url} as {cells.clean(me['name'])} ({cells.clean(me['role'])})",
    )
    preferred = local_file(LobbyChoice(), environment.directory, environment.project)
    if preferred is not None:
        context.screen.note(f"note: in this directory {preferred} takes precedence; use --url {url} or LOBBYCTL_URL")


@command(app, "logout")
def logout(context: CommandContext) -> None:
    """Sign out of a lobby: revoke the tokens and delete them.

    Without --url, signs out of the last lobby.
    """
    from admin_api.cli.sign_in.browser import sign_out  # noqa: PLC0415  # imports oauthlib

    url = context.choice.url
    profile = context.profiles.get(url) if url else context.profiles.latest()
    if profile is None:
        context.screen.note("not signed in to any lobby")
        return
    try:
        with open_http(profile.url) as http:
            revoked = sign_out(profile, http)
    finally:
        context.profiles.delete(profile.url)
    result = "revoked and deleted" if revoked else "deleted; they stay valid until they expire"
    context.screen.result(
        {"url": profile.url, "revoked": revoked}, line=f"Signed out of {profile.url}: the tokens are {result}"
    )


@command(app, "whoami")
def whoami(context: CommandContext) -> None:
    """Show the signed-in user, the role and the lobby."""
    me, lobby = context.execute(documents.ME)["me"], context.lobby
    source = f"by {lobby.path}" if isinstance(lobby, LocalLobby) else "by lobbyctl login"
    fields = ("name", me["name"]), ("role", me["role"]), ("lobby", lobby.graphql_url), ("signed in", source)
    context.screen.result(
        {**me, "graphqlUrl": lobby.graphql_url, "signedIn": source},
        details.pairs([*fields, ("operations", ", ".join(me["operations"]))]),
    )


def _url(context: CommandContext) -> str:
    if context.choice.lobby is not None:
        raise usage_error(f"got {context.choice.lobby}, which needs no sign-in; want --url")
    url = context.choice.url or getattr(context.profiles.latest(), "url", None)
    if url is None:
        raise usage_error("got no --url, want the address of the lobby's console")
    return url
