"""The context of cdk.json, which the CDK CLI passes by itself. Its feature flags of the CDK change templates."""

from pathlib import Path
from typing import Any, Final

from lobby import strict_json

ROOT: Final = Path(__file__).resolve().parent.parent


def cdk_context() -> dict[str, Any]:
    return dict(strict_json.loads((ROOT / "cdk.json").read_text())["context"])
