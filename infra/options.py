"""Options that deploying on this machine and deploying to AWS have in common."""

from pathlib import Path
from typing import Annotated

import typer

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
