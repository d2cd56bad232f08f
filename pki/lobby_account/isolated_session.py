"""A botocore session for a cloud on this machine. It reads neither the environment nor the user's AWS files.

An `AWS_PROFILE` that does not exist, an `AWS_ENDPOINT_URL` of another service, or a damaged `~/.aws/config` would
otherwise break or redirect calls whose account, Region and address are known.
"""

import os
from pathlib import Path
from typing import Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

_WITHOUT_ENVIRONMENT: Final = {
    name: (None, None, default, conversion)
    for name, (_in_file, _variable, default, conversion) in botocore.session.Session.SESSION_VARIABLES.items()
}
_WITHOUT_FILES: Final = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
DIRECT: Final = Config(proxies={})
"""The configuration of clients: no proxy."""


class _SharedLoader(Loader):
    """Reads the descriptions of services once for all sessions: reading takes most of the time when a client is
    created. In each session, boto3 adds the folder of its own descriptions; this loader already has the folder."""

    @property
    def search_paths(self) -> list[str]:
        return [str(Path(boto3.__file__).parent / "data"), *super().search_paths]


_LOADER: Final = _SharedLoader()


def isolated_session() -> botocore.session.Session:
    """Return a session without credentials or Region."""
    session = botocore.session.Session(_WITHOUT_ENVIRONMENT | _WITHOUT_FILES)
    session.set_default_client_config(DIRECT)
    session.register_component("data_loader", _LOADER)
    return session
