"""The context in cdk.json, with the CDK's feature flags, which change templates. The CDK CLI reads it automatically."""

from pathlib import Path
from typing import Any, Final

from lobby import strict_json

ROOT: Final = Path(__file__).resolve().parent.parent


def cdk_context() -> dict[str, Any]:
    return dict(strict_json.loads((ROOT / "cdk.json").read_text())["context"])
