"""Where answers go: results to stdout, all else to stderr; for people in tables, for programs one JSON object a line.

Colours and moving things are for terminals, and only where NO_COLOR is not set. A failure is told in the form that was
asked for, too.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from admin_api.cli.exits import Status
from admin_api.cli.render.cells import clean
from lobby.errors import LobbyError

_WIDE: Final = 240
"""Columns where there is no terminal, and COLUMNS says nothing."""


class Screen:
    """`as_json`: a program reads."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out, self.err = _console(stderr=False), _console(stderr=True)
        self._notes = self.err

    @property
    def width(self) -> int:
        return self.out.width

    def record(self, body: object) -> None:
        """One object for a program. ASCII, so that no terminal and no encoding is in its way."""
        self.out.print(json.dumps(body), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """A result for a person."""
        if self.out.is_terminal:
            self.out.print(what)
            return
        with self.out.capture() as captured:
            self.out.print(what)
        for line in captured.get().splitlines():
            self.say(line.rstrip())

    def say(self, text: str) -> None:
        """A result in words, on one line however long."""
        self.out.print(Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Something worth knowing that is no result."""
        self.remark({"note": text}, text)

    def remark(self, body: dict[str, Any], text: str) -> None:
        """The same, with fields for a program."""
        self._notes.print(Text(json.dumps(body) if self.as_json else text), soft_wrap=True)

    def fail(self, error: LobbyError, status: Status) -> None:
        message = clean(" ".join(error.message.splitlines()))
        if self.as_json:
            body = {"error": {"code": error.code, "message": message, "exit": status.value}}
            self.err.print(json.dumps(body), soft_wrap=True)
        else:
            self.err.print(Text.assemble(("error: ", "bold red"), f"{error.code}: {message}"), soft_wrap=True)

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator["Bar"]:
        """A progress bar that leaves nothing behind: on stderr, and for several. None where it would mix with JSON."""
        seen = total > 1 and self.err.is_terminal and not (self.as_json and self.out.is_terminal)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with self._drawing() as console:
            progress = Progress(
                *columns,
                console=console,
                transient=True,
                disable=not seen,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            with progress:
                yield Bar(progress, progress.add_task(what, total=total))

    @contextmanager
    def moving(self, what: RenderableType, *, transient: bool = False) -> Iterator[Live | None]:
        """Something that is drawn anew while it lasts: where the person looks, or not at all."""
        with self._drawing() as console:
            if self.as_json or not console.is_terminal:
                yield None
                return
            with Live(what, console=console, redirect_stdout=False, redirect_stderr=False, transient=transient) as live:
                yield live

    @contextmanager
    def _drawing(self) -> Iterator[Console]:
        """Where something moves. All that is said meanwhile goes the same way, or it would be drawn over."""
        self._notes = self.out if self.out.is_terminal and self.err.is_terminal else self.err
        try:
            yield self.out if self.out.is_terminal else self.err
        finally:
            self._notes = self.err


class Bar:
    """A progress bar in use."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def advance(self, much: int) -> None:
        self._progress.advance(self._task, much)


def _console(*, stderr: bool) -> Console:
    """Rich looks at NO_COLOR and TERM itself."""
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if console.is_terminal or os.environ.get("COLUMNS", "").isdigit():
        return console
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=_WIDE)
