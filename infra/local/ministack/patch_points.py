"""Where our layer holds on to the emulator, and the proof that it still can.

The layer replaces names inside MiniStack's modules. Each name is listed by the part that wraps it, with the signature
that part was written for, and checked before anything starts: a moved seam is a clear error, never a silent change
of behaviour. The emulator's version is pinned for the same reason.
"""

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from infra.local.errors import SeamMoved

MINISTACK_VERSION: Final = "1.5.33"


@dataclass(frozen=True)
class Seam:
    """One name in a module of the emulator. `parameters` is None for what is not a function."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def found(self) -> Any:
        """What stands there. Raises `SeamMoved` when it is missing."""
        try:
            thing: Any = importlib.import_module(self.module)
            for part in self.name.split("."):
                thing = getattr(thing, part)
        except (ImportError, AttributeError):
            raise SeamMoved("SEAM_MOVED", f"got no {self}, want what MiniStack {MINISTACK_VERSION} has") from None
        return thing

    def check(self) -> None:
        """Raise `SeamMoved` unless it is there, with its parameters."""
        thing = self.found()
        if self.parameters is not None:
            self._check_parameters(thing)

    def _check_parameters(self, thing: object) -> None:
        if not callable(thing):
            raise SeamMoved("SEAM_MOVED", f"got {self} of type {type(thing).__name__}, want a function")
        got = tuple(inspect.signature(thing).parameters)
        if got != self.parameters:
            raise SeamMoved("SEAM_MOVED", f"got {self}({', '.join(got)}), want ({', '.join(self.parameters or ())})")

    def wrap(self, make: Callable[[Any], Callable[..., Any]]) -> None:
        """Put `make(original)` in the original's place."""
        setattr(importlib.import_module(self.module), self.name, make(self.found()))


def check(seams: Iterable[Seam], version: str | None = None) -> None:
    """Raise `SeamMoved`, naming every seam that does not fit, unless the emulator is the one we know."""
    installed = version or importlib.metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        raise SeamMoved("SEAM_MOVED", f"got MiniStack {installed}, want {MINISTACK_VERSION}, which this layer is for")
    moved = []
    for seam in seams:
        try:
            seam.check()
        except SeamMoved as error:
            moved.append(error.message)
    if moved:
        raise SeamMoved("SEAM_MOVED", "; ".join(moved))
