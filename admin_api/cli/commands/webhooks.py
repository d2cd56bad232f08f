"""`webhooks`: add, list, show, rotate, enable, disable, remove, test and redrive webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.documents import Document
from admin_api.cli.documents import webhooks as documents
from admin_api.cli.exits import Status, of_several
from admin_api.cli.render import webhooks as render
from admin_api.cli.render.details import pairs
from lobby.chunks import chunks
from lobby.errors import LobbyError, NotFound
from lobby.names import shown

app = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the webhook, as `webhooks list` shows it.")]
_DELIVERED: Final = "DELIVERED"
_TEST_SECONDS: Final = 30
_POLL: Final = 0.5
_LOG: Final = 20
_REDRIVEN: Final = 100
"""Events that one request sends again."""


@command(app, "add")
def add(
    context: CommandContext,
    address: Annotated[str, typer.Argument(metavar="URL", help="HTTPS address, on port 443 or 8443.")],
    events: Annotated[
        str | None, typer.Option(metavar="EVENT,…", help="Events, such as claim,arrive,fail. [default: all]")
    ] = None,
) -> None:
    """Add a webhook. Its signing secret is shown once."""
    names = [name.strip() for name in events.split(",")] if events is not None else None
    _show_secret(context, context.execute(documents.ADD_WEBHOOK, url=address, events=names)["addWebhook"])


@command(app, "list")
def list_webhooks(context: CommandContext) -> None:
    """List all webhooks."""
    found = context.execute(documents.WEBHOOKS)["webhooks"]
    context.screen.listing(found, render.table, "no webhook")


@command(app, "show")
def show(
    context: CommandContext,
    webhook: Id,
    last: Annotated[int, typer.Option(min=1, max=100, help="Number of requests.")] = _LOG,
) -> None:
    """Show a webhook with its latest requests and its undelivered events."""
    found = _find(context, webhook)
    requests = context.execute(documents.DELIVERIES, id=webhook, first=last)["webhookDeliveries"]["nodes"]
    undelivered: list[dict[str, Any]] = []
    if found["undeliveredCount"]:
        listed = context.execute(documents.UNDELIVERED)["webhooks"]
        undelivered = next((each["undelivered"] for each in listed if each["id"] == webhook), [])
    if context.screen.as_json:
        context.screen.record({**found, "deliveries": requests, "undelivered": undelivered})
        return
    context.screen.show(pairs(render.fields(found)))
    if requests:
        context.screen.show(render.deliveries(requests))
    if undelivered:
        context.screen.note("Not accepted; next: lobbyctl webhooks redrive")
        context.screen.show(render.undelivered(undelivered))
    if len(undelivered) < found["undeliveredCount"]:
        context.screen.note(
            f"Listed are the first {len(undelivered)} of {found['undeliveredCount']} undelivered events"
        )


@command(app, "rotate")
def rotate(context: CommandContext, webhook: Id) -> None:
    """Replace the signing secret of a webhook. For a day, requests are also signed with the old secret."""
    _show_secret(context, context.execute(documents.ROTATE_SECRET, id=webhook)["rotateWebhookSecret"])


@command(app, "disable")
def disable(context: CommandContext, webhook: Id) -> None:
    """Disable a webhook. Events that occur until it is enabled again are never sent to it."""
    _changed(context, documents.DISABLE_WEBHOOK, webhook, f"Disabled {webhook}")


@command(app, "enable")
def enable(context: CommandContext, webhook: Id) -> None:
    """Enable a webhook. `redrive` sends its undelivered events again."""
    _changed(context, documents.ENABLE_WEBHOOK, webhook, f"Enabled {webhook}; next: lobbyctl webhooks redrive")


@command(app, "remove")
def remove(context: CommandContext, webhook: Id, yes: Yes = False) -> None:
    """Remove a webhook with its secret."""
    confirmation.confirm(context, [f"{webhook} gets no events from now on. Its secret is deleted."], yes)
    _changed(context, documents.REMOVE_WEBHOOK, webhook, f"Removed {webhook}")


@command(app, "test")
def test(context: CommandContext, webhook: Id) -> Status:
    """Send a test event, and wait for the result of the first request."""
    event = context.execute(documents.TEST_WEBHOOK, id=webhook)["testWebhook"]["event"]
    until = context.environment.monotonic() + _TEST_SECONDS
    while context.environment.monotonic() < until:
        page = context.execute(documents.DELIVERIES, id=webhook, first=_LOG)["webhookDeliveries"]["nodes"]
        request = next((each for each in page if each["event"] == event), None)
        if request is not None:
            return _tested(context, request)
        context.environment.sleep(_POLL)
    raise LobbyError("WAIT_EXPIRED", f"got no result of {event} within {_TEST_SECONDS} s; see lobbyctl webhooks show")


@command(app, "redrive")
def redrive(
    context: CommandContext,
    webhook: Id,
    events: Annotated[
        list[str] | None, typer.Argument(metavar="[EVENT]…", help="Ids of events, as `show` lists them. [default: all]")
    ] = None,
) -> Status:
    """Send the undelivered events of a webhook again. Exits with status 1 or 5 if an event that you name is not
    undelivered."""
    names = list(dict.fromkeys(events or []))
    sent, missing = _redrive_named(context, webhook, names) if names else (_redrive_all(context, webhook), [])
    context.screen.result(
        {"id": webhook, "redriven": sent, "missing": missing},
        note=f"Sent {sent} of {len(names)} events again" if names else f"Sent {sent} events again",
    )
    if missing:
        context.screen.note(f"Not undelivered: {', '.join(missing)}")
    return of_several(sent, len(missing))


def _redrive_all(context: CommandContext, webhook: str) -> int:
    total, more = 0, True
    with context.screen.progress_bar("sending", _find(context, webhook)["undeliveredCount"]) as bar:
        while more:
            with _resumable(context, total):
                done = context.execute(documents.REDRIVE_WEBHOOK, id=webhook)["redriveWebhook"]
            total, more = total + done["redriven"], done["more"]
            bar.advance(done["redriven"])
    return total


def _redrive_named(context: CommandContext, webhook: str, names: list[str]) -> tuple[int, list[str]]:
    """Return how many events were sent again, and the names of the others."""
    total, missing = 0, []
    with context.screen.progress_bar("sending", len(names)) as bar:
        for part in chunks(names, _REDRIVEN):
            with _resumable(context, total):
                done = context.execute(documents.REDRIVE_WEBHOOK, id=webhook, events=part)["redriveWebhook"]
            total += done["redriven"]
            missing += done["missing"]
            bar.advance(len(part))
    return total, missing


@contextmanager
def _resumable(context: CommandContext, sent: int) -> Iterator[None]:
    """Before an error that ends the command, print what was done."""
    try:
        yield
    except (LobbyError, KeyboardInterrupt):
        if sent:
            context.screen.note(f"Sent {sent} events again; run the same command again to continue")
        raise


def _tested(context: CommandContext, request: dict[str, Any]) -> Status:
    context.screen.result(request, render.deliveries([request]))
    return Status.DONE if request["result"] == _DELIVERED else Status.REFUSED


def _show_secret(context: CommandContext, made: dict[str, Any]) -> None:
    context.screen.result(
        {**made["webhook"], "secret": made["secret"]},
        pairs([*render.fields(made["webhook"]), ("secret", made["secret"])]),
        note="The secret cannot be shown again; the receiver verifies signatures with it",
    )


def _find(context: CommandContext, webhook: str) -> dict[str, Any]:
    found = context.execute(documents.WEBHOOKS)["webhooks"]
    ids = {each["id"]: each for each in found}
    if webhook not in ids:
        raise NotFound("UNKNOWN_WEBHOOK", f"got {shown(webhook)}, want one of: {', '.join(ids) or 'none yet'}")
    known: dict[str, Any] = ids[webhook]
    return known


def _changed(context: CommandContext, document: Document, webhook: str, text: str) -> None:
    changed = next(iter(context.execute(document, id=webhook).values()))
    context.screen.result(changed, note=text)
