"""Options of both the local deployment and the deployment to AWS."""

from pathlib import Path
from typing import Annotated, Final

import typer

COMMAND_VARIABLE: Final = "DEPLOY_COMMAND"
"""The variable with the name of the script, so that help and errors show the command that the user has typed."""
ProfilesFrom = Annotated[
    Path | None,
    typer.Option(
        "--profiles-from",
        help="Directory of the device profiles, <name>.yaml. [default: infra/profiles]",
        exists=True,
        file_okay=False,
        resolve_path=True,
    ),
]
