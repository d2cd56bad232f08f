"""Options that deploying on this machine and deploying to AWS have in common."""

from pathlib import Path
from typing import Annotated, Final

import typer

COMMAND_VARIABLE: Final = "DEPLOY_COMMAND"
"""The variable in which `deploy.sh` names itself, so that help and errors name the command that the user has typed."""
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
