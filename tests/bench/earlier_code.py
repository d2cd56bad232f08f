"""The code of the commit that the benchmarks compare with, in today's bundle, with today's requirements."""

import io
import subprocess
import tarfile
import zipfile
from typing import Final

from infra.bundling import bundles
from infra.local.synthesis import ROOT

COMMIT: Final = "cba4cee"


def earlier_bundle(bundle: bundles.Bundle, *packages: str) -> bytes:
    """Return today's `bundle` with the packages, such as `lobby/`, of `COMMIT` in it."""
    command = ["git", "archive", COMMIT, *packages]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    out = io.BytesIO()
    with (
        zipfile.ZipFile(bundles.build(bundle, bundles.this_machine()).path) as today,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
        tarfile.open(fileobj=io.BytesIO(archive)) as members,
    ):
        for each in today.infolist():
            if not each.filename.startswith(packages):
                made.writestr(each, today.read(each))
        for member in members.getmembers():
            content = members.extractfile(member)
            if content is not None:
                made.writestr(member.name, content.read())
    return out.getvalue()
