"""The CDK app: the stacks of the lobby and its targets, built from the settings in the context.

`cdk` runs it (see cdk.json), and so does `python -m infra.app -c lobby=…`, which synthesizes into `cdk.out`. Tests and
the local deployment call `synthesize` in their own process. Invalid settings are reported together, on one line.
"""

import argparse
import os
import sys
from pathlib import Path

# Suppress jsii's warning about the end of life of this major version of Node.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "20"

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.cdk_context import ROOT, cdk_context
from infra.errors import InfraError
from infra.lobby_stack import LobbyStack
from infra.role_stack import RoleStack
from infra.settings import Settings
from infra.target_stack import TargetStack


def build(app: App, settings: Settings, *, nag: bool = True) -> App:
    """Add the stacks of `settings` to `app`, which the caller synthesizes. With `nag`, a cdk-nag finding fails the
    synthesis. Raise `BundleFailed`."""
    if settings.lobby_stack:
        LobbyStack(app, settings)
    for target in settings.targets:
        TargetStack(app, settings, target)
        if target.create_role:
            RoleStack(app, settings, target)
    if nag:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def synthesize(settings: Settings, out: Path, *, nag: bool = False) -> Path:
    """Write a cloud assembly to `out`, in this process, without the CDK CLI. Raise `BundleFailed`. With `nag`, the CDK
    also checks the templates against its rules of CloudFormation, which takes 10 s of CPU time."""
    app = App(outdir=str(out), analytics_reporting=False, builtin_cloud_formation_validation=nag, context=cdk_context())
    build(app, settings, nag=nag).synth()
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.app", description="Synthesize the stacks.")
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="a setting; see infra/settings.py"
    )
    parser.add_argument("-o", "--out", default=os.environ.get("CDK_OUTDIR", str(ROOT / "cdk.out")), metavar="FOLDER")
    options = parser.parse_args(arguments)
    context = cdk_context() | dict(each.partition("=")[::2] for each in options.context)
    app = App(outdir=options.out, analytics_reporting=False, context=context)
    try:
        build(app, Settings.from_context(app.node.try_get_context)).synth()
    except InfraError as error:
        print(error, file=sys.stderr)
        return 1
    except RuntimeError as error:  # raised by jsii; cdk-nag has already printed its findings
        print(str(error).partition("\n")[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
