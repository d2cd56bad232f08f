"""Every rule of AWS Solutions (cdk-nag) that a stack breaks on purpose, with the reason, in one place per stack.

A finding that is not here fails the synthesis.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack
    from infra.target_stack import TargetStack


def acknowledge_lobby(stack: "LobbyStack") -> None:
    """Exceptions of the lobby's stack."""


def acknowledge_target(stack: "TargetStack") -> None:
    """Exceptions of a target's stack."""
