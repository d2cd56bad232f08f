"""A browser for tests of `lobbyctl login`: it opens the sign-in page and follows the redirect to loopback."""

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from typer.testing import Result

from tests.functional.admin_api.lobby_over_http import Terminal


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Browser:
    """Opens addresses in threads. `edit_redirect` can change the redirect, or send other requests before it."""

    def __init__(self, edit_redirect: Callable[[str], str] = str) -> None:
        self.pages: list[httpx.Response] = []
        self.visited: list[str] = []
        self._edit_redirect = edit_redirect
        self._threads: list[threading.Thread] = []

    def __call__(self, address: str) -> bool:
        self.visited.append(address)
        thread = threading.Thread(target=self._open, args=(address,))
        thread.start()
        self._threads.append(thread)
        return True

    def _open(self, address: str) -> None:
        with httpx.Client(trust_env=False) as http:
            redirect = self._edit_redirect(http.get(address).headers["location"])
            origin = re.match(r"http://localhost:\d+", redirect)
            assert origin
            assert http.get(f"{origin[0]}/favicon.ico").status_code == 404
            self.pages.append(http.get(redirect))

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def login(terminal: Terminal, browser: Browser, *arguments: str, **environment: Any) -> Result:
    """Run `lobbyctl login` with this browser."""
    result = terminal.run(
        "login",
        "--url",
        terminal.server.url,
        *arguments,
        open_browser=browser,
        redirect_port=free_port(),
        **environment,
    )
    browser.join()
    return result


def stored_file(terminal: Terminal) -> Path:
    """Return the only stored sign-in."""
    (path,) = (terminal.directory / "config" / "lobbies").iterdir()
    return path
