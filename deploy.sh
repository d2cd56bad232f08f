#!/usr/bin/env bash
# Puts Device Lobby up: on this machine, or in AWS. Does all its own set-up; `./deploy.sh --help` says what it can do.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
Usage: ./deploy.sh COMMAND [OPTIONS]

On this machine (no AWS account, no Docker):
  demo      Run the whole main job with a new device, from its label to its account, and say how long each
            step took. Exits 0 when the device has arrived.
  local     Deploy everything to an emulated AWS and leave it running until Ctrl-C; the ledger is kept for the
            next time. Writes .local/lobby.json, which tells scripts where everything is.

In AWS (with the credentials of your environment or --profile; asks before it touches an account):
  aws       Deploy the lobby to this account and Region.
  target    Set this account and Region up as a target. The console and `registerTarget` give the exact command.

  redrive   Have done once more what lies in the on-failure queues: `redrive local`, `redrive aws`; `--dry-run` only
            lists it. May be repeated, and cut off at any time.

  destroy   Take a deployment away: `destroy local`, `destroy aws` or `destroy target`. Ledger and history are
            kept in AWS unless you delete their tables yourself.

`./deploy.sh COMMAND --help` lists a command's options. What is set up: .venv (Python packages, pinned by hash),
Node from PyPI where there is none, the web console (built for `local` and `aws`), and for AWS the pinned CDK CLI.
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
export PYTHONPATH=$here
case " $* " in
  *" --help "* | *" -h "*) ;;
  *)
    case $command in
      aws) ensure_console ;;
      # A laptop that does not reach npm's registry still gets the lobby itself.
      local) (ensure_console) || say "· going on without the web console: its address will answer 404 and say so" ;;
    esac
    ;;
esac
case $command in
  local) exec "$VENV/bin/python" -m infra.local up "$@" ;;
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
  [ "${1:-}" = aws ] || { echo "error: got no deployment to redrive, want redrive local or redrive aws" >&2; exit 2; }
  shift
  exec "$VENV/bin/python" -m infra.cloud redrive "$@"
fi
case " $* " in *" --help "*) ;; *) ensure_cdk_cli ;; esac
exec "$VENV/bin/python" -m infra.cloud "$command" "$@"
