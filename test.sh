#!/usr/bin/env bash
# Checks and tests in tiers: --fast, the default one, --full. Includes all set-up. See `./test.sh --help`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
Usage: ./test.sh [--fast | --full | --setup] [PYTEST OPTIONS]

  (none)    What a change must pass: format, lint, types, import contracts, the console's checks, unit and functional
            tests, and end-to-end tests against the local deployment (real templates, real TLS, real devices).
  --fast    Format, lint, types, import contracts, and the tests that need no emulator and no browser.
  --full    Everything, also the long end-to-end tests and those that need a package index.
  --setup   Only set up what the tests need.

Other options go to pytest, for example: ./test.sh --fast -k bouncer
TEXT
}

tier=default
case ${1:-} in
  -h | --help) usage; exit 0 ;;
  --fast | --full | --setup) tier=${1#--}; shift ;;
esac

# shellcheck source=infra/setup.sh
source "$here/infra/setup.sh"
install_requirements "$here/requirements/test.txt"
ensure_commands
export PYTHONPATH=$here
cd "$here"
if [ "$tier" != fast ]; then
  ensure_node
  ensure_console_packages
  ensure_console
fi
[ "$tier" != setup ] || exit 0

# The console's checks take as long as those of the Python code: both run at the same time.
if [ "$tier" != fast ]; then
  console_log=$(mktemp)
  (cd admin_api/console && npm run --silent check) >"$console_log" 2>&1 &
  console_checks=$!
fi

say "· ruff"
"$VENV/bin/ruff" check --quiet .
"$VENV/bin/ruff" format --check --quiet .
say "· import contracts"
"$VENV/bin/lint-imports" --no-logo >/dev/null || "$VENV/bin/lint-imports" --no-logo
say "· mypy"
"$VENV/bin/mypy" --no-error-summary
if [ "$tier" != fast ]; then
  say "· bandit, and known vulnerabilities of the pinned packages"
  "$VENV/bin/bandit" --quiet --configfile pyproject.toml --recursive lobby commissioner admin_api device pki infra
  "$VENV/bin/python" -m infra.audit
  say "· console: lint, types and unit tests"
  wait "$console_checks" || {
    cat "$console_log" >&2
    fail "the console's checks failed (see above; in $console_log)"
  }
  rm -f "$console_log"
fi

case $tier in
  fast) marks=(-m "not e2e and not slow and not full") ;;
  default) marks=(-m "not full") ;;
  full) marks=() ;;
esac
say "· tests ($tier tier)"
# A file stays on one worker, so that what its tests share is created once; the long end-to-end files come first.
exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder ${marks[@]+"${marks[@]}"} "$@"
