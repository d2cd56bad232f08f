"""`targets template`: a template that sets up a target's account without this project."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from admin_api.cli.command import TARGET_HELP, command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.completion import complete_target
from admin_api.cli.documents import devices as documents

app = typer.Typer()


class Format(StrEnum):
    """The tool of the account's owner."""

    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


@command(app, "template")
def template(
    context: CommandContext,
    target: Annotated[str | None, typer.Argument(help=TARGET_HELP, autocompletion=complete_target)] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="The owner's deployment tool.")
    ] = Format.CLOUDFORMATION,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file. [default: print]")] = None,
) -> None:
    """Print a self-contained template for the owner of a target account.

    The CloudFormation template also works as a StackSet for many Regions. It contains the target's ExternalId: give it
    to the owner only.
    """
    where = context.targets.find(target).target
    answer = context.execute(
        documents.TARGET_TEMPLATE, account=where.account, region=where.region, format=output_format.value.upper()
    )["targetTemplate"]
    if output is not None:
        _write(output, answer["content"])
        context.screen.note(f"Wrote {output}")
    else:
        context.screen.result(answer, line=answer["content"].rstrip())
    if answer["quickCreateUrl"] and not context.screen.as_json:
        context.screen.note(f"For the owner, within the hour: {answer['quickCreateUrl']}")


def _write(path: Path, text: str) -> None:
    """Write a file that contains the ExternalId, in UTF-8 on every system. Only its owner can read a new file, with any
    umask."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)
