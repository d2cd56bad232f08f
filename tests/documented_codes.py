"""The error codes that `docs/api.md` documents for the API. In its table, `INVALID_…` means all codes that begin with
INVALID_.
"""

import re
from pathlib import Path
from typing import Final

_TABLE: Final = re.compile(r"^\| ((?:`[A-Z_]+…?`(?:, )?)+) \|", re.MULTILINE)
_CODE: Final = re.compile(r"`([A-Z_]+)(…?)`")


def documented_codes() -> re.Pattern[str]:
    """Return a pattern that matches each documented code."""
    text = (Path(__file__).parent.parent / "docs/api.md").read_text()
    codes = [code + ("[A-Z_]+" if rest else "") for row in _TABLE.findall(text) for code, rest in _CODE.findall(row)]
    return re.compile("|".join(codes))
