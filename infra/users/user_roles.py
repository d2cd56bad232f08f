"""The groups of the user pool, one per role. This module does not import the CDK, because that takes seconds."""

from typing import Final

ROLES: Final = {
    "admin": "Everything, including targets and their ExternalIds",
    "operator": "Claims, moves, releases and revokes",
    "technician": "Claims, for the targets of the user's target: groups only",
    "viewer": "Read-only",
}
"""The groups, most privileged first. A technician's targets are also groups: `target:<account>/<Region>`."""
