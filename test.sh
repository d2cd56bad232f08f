#!/usr/bin/env bash
# Checks everything: format, lint, types, then the tests, from unit to end to end. Does all its own set-up.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${1:-} in
  -h | --help)
    cat <<'TEXT'
Usage: ./test.sh [--fast] [PYTEST OPTIONS]

Runs ruff, bandit, mypy (strict) and all tests. The end-to-end tests start the local deployment (real templates, real TLS,
real devices) on ports of their own. --fast leaves those out; other options go to pytest, such as `-k bouncer`.
TEXT
    exit 0
    ;;
esac

# shellcheck source=infra/setup.sh
source "$here/infra/setup.sh"
install_requirements "$here/requirements/test.txt"
ensure_node
export PYTHONPATH=$here
cd "$here"

only=()
if [ "${1:-}" = --fast ]; then
  shift
  only=(-m "not e2e")
fi

say "· ruff"
"$VENV/bin/ruff" check --quiet .
"$VENV/bin/ruff" format --check --quiet .
say "· bandit, and known vulnerabilities of what is pinned"
"$VENV/bin/bandit" --quiet --configfile pyproject.toml --recursive lobby commissioner admin_api device pki infra
"$VENV/bin/python" -m infra.audit
say "· mypy"
"$VENV/bin/mypy" --no-error-summary
say "· the console's lint, types and unit tests"
ensure_console_packages
(cd admin_api/console && npm run --silent check) || fail "the console's checks failed (see above)"
ensure_console
say "· tests"
# A file stays on one worker, so that what its tests share is made once; the long end-to-end ones come first.
exec "$VENV/bin/python" -m pytest -n 2 --dist loadfile --no-loadscope-reorder ${only[@]+"${only[@]}"} "$@"
