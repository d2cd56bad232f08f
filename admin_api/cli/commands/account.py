"""Signing in and out, and who one is."""

from typing import Annotated

import typer

from admin_api.cli import documents
from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.errors import wrong_use
from admin_api.cli.http import open_http
from admin_api.cli.lobby_location import Asked, LocalLobby, local_file
from admin_api.cli.render import details

app = typer.Typer()


@command(app, "login")
def login(
    desk: CommandContext,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open one, or print the address.")] = True,
) -> None:
    """Sign in to the lobby at --url (its console's address), in a browser. Locally there is no need to."""
    from admin_api.cli.sign_in import Means, sign_in  # noqa: PLC0415  # with what only a sign-in needs

    url, around = _url(desk), desk.around
    means = Means(
        around.browse if browser else lambda _address: False,
        around.secret,
        desk.screen.note,
        desk.seconds,
        around.redirect_port,
        around.sign_in_seconds,
    )
    with open_http(url) as http:
        profile = sign_in(url, http, means)
    desk.profiles.keep(profile)
    desk.__dict__["place"] = profile
    me = desk.ask(documents.ME)["me"]
    if desk.screen.as_json:
        desk.screen.record({"url": url, "name": me["name"], "role": me["role"]})
    else:
        desk.screen.say(f"signed in to {url} as {me['name']} ({me['role']})")
    nearer = local_file(Asked(), around.directory, around.project)
    if nearer is not None:
        desk.screen.note(f"note: from here {nearer} comes first; say --url {url}, or set LOBBYCTL_URL")


@command(app, "logout")
def logout(desk: CommandContext) -> None:
    """Revoke the tokens of the lobby at --url, or of the last one signed in to, and delete them."""
    from admin_api.cli.sign_in import sign_out  # noqa: PLC0415

    profile = desk.profiles.get(desk.asked.url) if desk.asked.url else desk.profiles.latest()
    if profile is None:
        desk.screen.note("nobody was signed in")
        return
    try:
        with open_http(profile.url) as http:
            revoked = sign_out(profile, http)
    finally:
        desk.profiles.forget(profile.url)
    if desk.screen.as_json:
        desk.screen.record({"url": profile.url, "revoked": revoked})
    else:
        end = "" if revoked else " (the lobby revokes none; they end by themselves)"
        desk.screen.say(f"signed out of {profile.url}: the tokens are deleted{end}")


@command(app, "whoami")
def whoami(desk: CommandContext) -> None:
    """Who is signed in, where, and what they may do."""
    me, place = desk.ask(documents.ME)["me"], desk.place
    how = f"by {place.path}" if isinstance(place, LocalLobby) else "by lobbyctl login"
    if desk.screen.as_json:
        desk.screen.record({**me, "graphqlUrl": place.graphql_url, "signedIn": how})
        return
    facts = ("name", me["name"]), ("role", me["role"]), ("lobby", place.graphql_url), ("signed in", how)
    desk.screen.show(details.pairs([*facts, ("may", ", ".join(me["operations"]))]))


def _url(desk: CommandContext) -> str:
    if desk.asked.lobby is not None:
        raise wrong_use(f"got {desk.asked.lobby}, where one is signed in by its passwords, want --url")
    known = desk.asked.url or getattr(desk.profiles.latest(), "url", None)
    if known is None:
        raise wrong_use("got no --url, want the address of the lobby's console")
    return known
