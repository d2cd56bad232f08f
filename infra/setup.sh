# shellcheck shell=bash
# Sets up the environment of the scripts, from a fresh clone. Does nothing if it is complete.
# Sourced by deploy.sh and test.sh. Needs Python 3.11 to 3.13. Installs Node from PyPI if there is none.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
# Silences the warnings of jsii and the AWS SDK about Node releases. The README lists the supported ones.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1 NODE_NO_WARNINGS=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
    "$candidate" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || continue
    printf '%s' "$candidate"
    return
  done
  fail "got no Python, want 3.11, 3.12 or 3.13 on the PATH (or name one: PYTHON=/path/to/python $0)"
}

# Installs the commands lobbyctl, lobby-device and lobby-pki from this checkout, as an editable package. Needs no network:
# the build backend is one of the pinned packages. The stamp is a digest of the checkout's path and package description.
ensure_commands() {
  local stamp=$VENV/.installed-commands digest
  digest=$(printf '%s\n' "$ROOT" | cat - "$ROOT/pyproject.toml" "$ROOT/lobby/__init__.py" | cksum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ] && return
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation \
    --editable "$ROOT" >&2 || fail "the commands could not be installed (see above)"
  printf '%s' "$digest" >"$stamp"
}

# Installs the hash-pinned packages of a requirements file. The stamp is a digest of the file.
install_requirements() {
  local file=$1 stamp digest python
  stamp=$VENV/.installed-$(basename "$file" .txt)
  if [ ! -x "$VENV/bin/python" ]; then
    python=$(find_python)
    say "· creating a Python environment in .venv ($("$python" --version))"
    "$python" -m venv "$VENV" >/dev/null 2>&1 || {
      rm -rf "$VENV"
      fail "$python cannot create a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
    }
  fi
  digest=$("$VENV/bin/python" -c 'import hashlib,sys; print(hashlib.sha256(open(sys.argv[1],"rb").read()).hexdigest())' "$file")
  [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ] && return
  say "· installing pinned packages ($(basename "$file"), about a minute the first time)"
  if command -v uv >/dev/null; then
    VIRTUAL_ENV=$VENV uv pip install --quiet --require-hashes -r "$file" >&2 || fail "packages could not be installed (see above)"
  else
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file" >&2 ||
      fail "packages could not be installed (see above)"
  fi
  printf '%s' "$digest" >"$stamp"
}

# Whether npm is installed, and a Node that the packages of the console support (their `engines`).
has_node() {
  local major minor
  IFS=. read -r major minor _ <<<"$(node --version 2>/dev/null | tr -d v)"
  case $major in
    20) [ "$minor" -ge 19 ] || return ;;
    22) [ "$minor" -ge 12 ] || return ;;
    *) [ "${major:-0}" -ge 24 ] 2>/dev/null || return ;;
  esac
  npm --version >/dev/null 2>&1
}

# Installs a pinned Node from PyPI in the environment if there is none that the CDK and the console's build support.
ensure_node() {
  export PATH=$VENV/bin:$PATH
  has_node && return
  install_requirements "$ROOT/requirements/node.txt"
  hash -r # otherwise the shell keeps using the Node that it found before
  has_node || fail "got no Node of version 20.19, 22.12, 24 or newer, and the one from PyPI does not run here"
}

# The console's packages, pinned by its lock file.
ensure_console_packages() {
  local at=$ROOT/admin_api/console
  [ "$at/node_modules/.package-lock.json" -nt "$at/package-lock.json" ] && return
  say "· installing the console's pinned packages"
  (cd "$at" && npm ci --include=dev --loglevel=error --no-audit --no-fund >/dev/null) || fail "the console's packages could not be installed (see above)"
}

# Builds the web console if its sources have changed. dist/.built is a digest of the sources.
ensure_console() {
  local at=$ROOT/admin_api/console digest
  digest=$(cd "$ROOT/admin_api" && find schema.graphql console -type f \
    -not -path 'console/node_modules/*' -not -path 'console/dist/*' -not -path 'console/tests/*' -not -name graphql-env.d.ts |
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat | "$VENV/bin/python" -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
  [ "$(cat "$at/dist/.built" 2>/dev/null)" = "$digest" ] && return
  ensure_console_packages
  say "· building the web console"
  (cd "$at" && npm run --silent build >&2) || fail "the console could not be built (see above)"
  printf '%s' "$digest" >"$at/dist/.built"
}

ensure_cdk_cli() {
  local at=$ROOT/infra/cdk_cli
  [ "$at/node_modules/.package-lock.json" -nt "$at/package-lock.json" ] && return
  say "· installing the pinned CDK CLI"
  (cd "$at" && npm ci --omit=optional --loglevel=error --no-audit --no-fund >/dev/null) || fail "the CDK CLI could not be installed (see above)"
}
