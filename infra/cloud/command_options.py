"""Options of the command line for AWS, with their help. Those that several commands have mean the same in each.

Defaults are with the commands. The CDK app's settings have the rules of their values (`infra.settings`).
"""

from typing import Annotated

import typer

Profile = Annotated[str | None, typer.Option(help="AWS profile. [default: the environment's credentials]")]
AnyRegion = Annotated[str | None, typer.Option(help="Region. [default: the environment's, or the profile's]")]
RemoveLeftThings = Annotated[
    bool,
    typer.Option(
        "--remove-left-things",
        help="Remove the thing and certificate of a device that has left a target, instead of marking its thing."
        " For the lobby and its targets.",
    ),
]
ArchiveDays = Annotated[
    int | None,
    typer.Option(
        min=1, max=36_500, help="Archive events in S3 for these days (docs/archive.md). [default: no archive]"
    ),
]
RegistryEvents = Annotated[
    bool,
    typer.Option(
        "--registry-events", help="Let AWS IoT publish an event for each change of a thing, thing type or thing group."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
