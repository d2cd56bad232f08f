#!/usr/bin/env bash
# Checks and tests in tiers: --fast, the default one, --full. Includes all set-up. See `./test.sh --help`.
set -euo pipefail
script=${BASH_SOURCE[0]}
while [ -L "$script" ]; do # a link to this script, maybe in another directory
  linked=$(readlink "$script")
  case $linked in /*) script=$linked ;; *) script=$(dirname -- "$script")/$linked ;; esac
done
here=$(unset CDPATH && cd -- "$(dirname -- "$script")" && pwd)

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--fast | --full | --setup | --python VERSION] [PYTEST OPTIONS]

  (none)    What a change must pass: format, lint, types, import contracts, the console's checks, unit and functional
            tests, and end-to-end tests against the local deployment (real templates, real TLS, real devices).
  --fast    Format, lint, types, import contracts, and the tests that need no emulator and no browser.
  --full    Everything, also the long end-to-end tests and those that need a package index.
  --setup   Only set up what the tests need.
  --python VERSION
            The unit and functional tests on this Python, for example on 3.13, which the Lambdas use. VERSION is 3.11,
            3.12, 3.13, or the path of a Python. The environment is .local/python-VERSION; .venv is not changed.

Other options go to pytest, for example: ./test.sh --fast -k bouncer
TEXT
}

tier=default
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  --fast | --full | --setup) tier=${1#--}; shift ;;
  --python) tier=python version=${2:-}; shift $(($# > 1 ? 2 : 1)) ;;
esac

# shellcheck source=infra/setup.sh
source "$here/infra/setup.sh"
[ "$tier" != python ] || use_python "$version"
install_requirements "$here/requirements/test.txt"
ensure_commands
export PYTHONPATH=$here
cd "$here"
if [ "$tier" != fast ] && [ "$tier" != python ]; then
  ensure_node
  ensure_console_packages
  ensure_console
fi
[ "$tier" != setup ] || exit 0

# Tests start many Python processes, each of which would compile every module again.
unset PYTHONDONTWRITEBYTECODE

if [ "$tier" = python ]; then
  say "· unit and functional tests on $("$VENV/bin/python" --version)"
  exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not full" tests/unit tests/functional "$@"
fi

# Checks that run in parallel with the tests: name, process group and log of each. Output is shown only of those that fail.
logs=$(mktemp -d)
names=() groups=()
stop_checks() {
  local group
  for group in ${groups[@]+"${groups[@]}"}; do kill -- "-$group" 2>/dev/null || true; done
  pkill -P $$ 2>/dev/null || true # the tests, if a signal ends only this shell
  rm -rf "$logs"
}
trap stop_checks EXIT
trap 'exit 130' INT # Ctrl-C also ends pytest; without this, the shell would continue after it

# In a process group of its own, so that all of its processes can be ended.
start_check() {
  local name=$1
  shift
  set -m
  { "$@" >"$logs/${#names[@]}" 2>&1 || { say "✗ $name failed; its output follows after the tests"; exit 1; }; } &
  set +m
  names+=("$name") groups+=("$!")
}

wait_for_checks() {
  local number failed=()
  for number in ${names[@]+"${!names[@]}"}; do
    wait "${groups[number]}" || {
      say "" "· ${names[number]}"
      cat "$logs/$number" >&2
      failed+=("${names[number]}")
    }
  done
  groups=()
  [ ${#failed[@]} -eq 0 ] || fail "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//') (see above)"
}

say "· ruff"
"$VENV/bin/ruff" check --quiet .
"$VENV/bin/ruff" format --check --quiet .
say "· import contracts"
"$VENV/bin/lint-imports" --no-logo >"$logs/contracts" || { cat "$logs/contracts" >&2; fail "an import contract is broken (see above)"; }

say "· in parallel with the tests: mypy"
start_check "mypy" "$VENV/bin/mypy" --no-error-summary
if [ "$tier" != fast ]; then
  say "· in parallel with the tests: bandit, known vulnerabilities of the pinned packages, the console's lint, types and unit tests"
  start_check "bandit" "$VENV/bin/bandit" --quiet --configfile pyproject.toml --recursive lobby commissioner admin_api device pki infra
  start_check "the audit of the pinned packages" "$VENV/bin/python" -m infra.audit
  checks=check-default
  [ "$tier" != full ] || checks=check
  start_check "the console's checks" npm --prefix admin_api/console run --silent "$checks"
fi

case $tier in
  # These folders hold no test of the fast tier: their modules are not even imported.
  fast) options=(-m "not e2e and not slow and not full" --ignore=tests/e2e --ignore=tests/infra --ignore=tests/simulation) ;;
  default) options=(-m "not full") ;;
  full) options=() ;;
esac
say "· tests ($tier tier)"
# A file stays on one worker, so that what its tests share is created once; the long end-to-end files come first.
status=0
"$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder ${options[@]+"${options[@]}"} "$@" || status=$?
wait_for_checks
exit "$status"
