#!/usr/bin/env bash
# Deploys Device Lobby on this machine or to AWS, including all set-up. See `./deploy.sh --help`.
set -euo pipefail
script=${BASH_SOURCE[0]}
while [ -L "$script" ]; do # a link to this script, maybe in another directory
  linked=$(readlink "$script")
  case $linked in /*) script=$linked ;; *) script=$(dirname -- "$script")/$linked ;; esac
done
here=$(unset CDPATH && cd -- "$(dirname -- "$script")" && pwd)

usage() {
  cat <<'TEXT'
Usage: ./deploy.sh COMMAND [OPTIONS]

On this machine (no AWS account, no Docker):
  demo      Onboard a new device, from its label to its account, and print the duration of each step. Exits 0
            when the device has arrived. With --door claim, the device has no certificate, but a bundle; with
            --door token, it has only a token. With --renew, it then renews its certificate.
  local     Deploy everything to an emulated AWS and run it until Ctrl-C. The ledger is kept for the next run.
            Writes .local/lobby.json, which contains all addresses for scripts. With --strict, AWS's default quotas
            are enforced. With --lobbies 2 or 3, the lobby has several Regions.

In AWS (with the credentials of your environment or --profile; asks for confirmation before any change):
  aws       Deploy the lobby to this account and Region, or with --regions to several.
  target    Set up this account and Region as a target. The console and `registerTarget` show the exact command.

  redrive   Process the work in the on-failure queues again: `redrive local`, `redrive aws`. `--dry-run` only lists
            it. Can be interrupted and repeated.

  destroy   Delete a deployment with the registrations of its devices: `destroy local`, `destroy aws` or `destroy
            target`. Can be interrupted and repeated. In AWS, ledger, history and users are retained until you delete
            them. `--keep-devices` keeps the devices' certificates, things and policies.

`--lobby-id ID` (every command) gives a lobby its own names, so that lobbies can share target accounts, or one account
in different Regions.

`./deploy.sh COMMAND --help` lists the options of a command. The set-up installs: .venv (Python packages, pinned by
hash), Node from PyPI if there is none, the web console (built for `local` and `aws`), and the pinned CDK CLI (for AWS).
TEXT
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  "" | -h | --help | help) usage; [ -n "$command" ] && exit 0; exit 2 ;;
  local | demo | aws | target | redrive | destroy) ;;
  *) printf 'error: got the command %q, want local, demo, aws, target, redrive or destroy (see --help)\n' "$command" >&2
     exit 2 ;;
esac

# shellcheck source=infra/setup.sh
source "$here/infra/setup.sh"
install_requirements "$here/requirements/local.txt"
ensure_commands
ensure_node
export PYTHONPATH=$here DEPLOY_COMMAND=./deploy.sh
# Names are known when Python's modules are imported, so the lobby's id is an environment variable from here on.
previous=
for word in "$@"; do
  case $previous$word in
    --lobby-id=*) LOBBY_ID=${word#--lobby-id=} ;;
    "--lobby-id "*) LOBBY_ID=$word ;;
  esac
  previous=
  [ "$word" = --lobby-id ] && previous="--lobby-id "
done
if [ -n "${LOBBY_ID:-}" ]; then
  LOBBY_ID='' "$VENV/bin/python" -m infra.lobby_id "$LOBBY_ID" || exit 2
  export LOBBY_ID
fi
case " $* " in
  *" --help "* | *" -h "*) ;;
  *)
    case $command in
      aws) ensure_console ;;
      # Without access to npm's registry, the lobby still starts, without the console.
      local) (ensure_console) || say "· continuing without the web console: its address responds with 404" ;;
    esac
    ;;
esac
case $command in
  local) exec "$VENV/bin/python" -m infra.local local "$@" ;;
  demo) exec "$VENV/bin/python" -m infra.local demo "$@" ;;
  redrive | destroy)
    for word in "$@"; do
      [ "$word" = local ] || continue
      rest=()
      for other in "$@"; do [ "$other" = local ] || rest+=("$other"); done
      exec "$VENV/bin/python" -m infra.local "$command" ${rest[@]+"${rest[@]}"}
    done
    ;;
esac
if [ "$command" = redrive ]; then
  case ${1:-} in
    aws) shift ;;
    --help) ;;
    -h) set -- --help ;;
    *) echo "error: got no deployment to redrive, want redrive local or redrive aws" >&2; exit 2 ;;
  esac
  exec "$VENV/bin/python" -m infra.cloud redrive "$@"
fi
case "$command $* " in *" --help "* | destroy*) ;; *) ensure_cdk_cli ;; esac
exec "$VENV/bin/python" -m infra.cloud "$command" "$@"
