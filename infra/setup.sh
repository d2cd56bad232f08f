# shellcheck shell=bash
# Sets up the environment of the scripts, from a fresh clone. Does nothing if it is complete.
# Sourced by deploy.sh and test.sh. Needs Python 3.11 to 3.13. Installs Node from PyPI if there is none.

unset CDPATH # with it, `cd` can go elsewhere, and prints
unset PYTHONHOME PYTHONPATH # of another Python or project: they replace modules of this one
# Settings of the user or of an image that install elsewhere than in .venv, or other versions than the pinned ones.
unset UV_SYSTEM_PYTHON UV_PYTHON UV_CONSTRAINT UV_OVERRIDE PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT
export PIP_USER=0
set +o noclobber
export -n SHELLOPTS BASHOPTS # otherwise the options of this shell hold in the scripts that it starts
ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
umask g-w,o-w # no other user may change the files that are installed and run here
is_usable_folder() { [ ! -e "$1" ] || { [ -d "$1" ] && [ -w "$1" ]; }; }
# Without a home directory that can be written, the caches of pip, uv, npm and jsii are in the checkout. So they are if
# one of them belongs to root, after an installation with sudo.
if [ ! -w "${HOME:-/nonexistent}" ] || ! is_usable_folder "$HOME/.cache" || ! is_usable_folder "$HOME/.cache/pip" ||
  ! is_usable_folder "$HOME/.npm"; then
  export XDG_CACHE_HOME=$ROOT/.local/cache
  export PIP_CACHE_DIR=$XDG_CACHE_HOME/pip UV_CACHE_DIR=$XDG_CACHE_HOME/uv npm_config_cache=$XDG_CACHE_HOME/npm
  export JSII_RUNTIME_PACKAGE_CACHE_ROOT=$XDG_CACHE_HOME/jsii
fi
# Loopback is never reached through a proxy.
export no_proxy=localhost,127.0.0.1,::1${no_proxy:+,$no_proxy}
export NO_PROXY=localhost,127.0.0.1,::1${NO_PROXY:+,$NO_PROXY}
# Suppresses the warnings of jsii and the AWS SDK about Node releases. The README lists the supported ones.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1 NODE_NO_WARNINGS=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

case $ROOT in
  *:*) fail "got the checkout in $ROOT, want a path without a colon: it becomes part of PATH and PYTHONPATH" ;;
esac

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

# Makes the set-up use this Python, a version or a path, in an environment of its own instead of .venv.
use_python() {
  local version=$1
  case $version in
    3.11 | 3.12 | 3.13) PYTHON=python$version ;;
    */*) PYTHON=$version ;;
    *) fail "got --python ${version:-without a version}, want 3.11, 3.12, 3.13, or the path of a Python" ;;
  esac
  version=$("$PYTHON" -c 'import sys; print("{}.{}".format(*sys.version_info))' 2>/dev/null) ||
    fail "got no $PYTHON that runs, want one on the PATH, or its path after --python"
  case $version in
    3.11 | 3.12 | 3.13) ;;
    *) fail "got Python $version, want 3.11, 3.12 or 3.13" ;;
  esac
  VENV=$ROOT/.local/python-$version
}

# Waits for another set-up of this checkout. The lock ends with `unlock_setup`, or with this process.
lock_setup() {
  mkdir -p "$ROOT/.local"
  exec 9>"$ROOT/.local/setup.lock"
  "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && return
  say "· waiting for another set-up of this checkout"
  "$1" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}
unlock_setup() { exec 9>&-; }

# Creates .venv, or creates it again if it is not usable: its Python is missing, it was moved (its commands contain its
# path), an installation in it was interrupted, or a package has been removed since.
ensure_venv() {
  local python=$1 place
  place=$(cd -- "$VENV" 2>/dev/null && pwd -P) || place=
  if "$VENV/bin/python" -c '' 2>/dev/null && [ ! -e "$VENV/.installing" ] &&
    [ "$(cat "$VENV/.place" 2>/dev/null || printf '%s' "$place")" = "$place" ] && has_all_packages; then
    [ -e "$VENV/.place" ] || printf '%s' "$place" >"$VENV/.place"
    return
  fi
  [ ! -e "$VENV" ] || say "· .venv is incomplete or was moved: creating it again"
  rm -rf "$VENV"
  say "· creating a Python environment in .venv ($("$python" --version))"
  mkdir -p "$VENV"
  : >"$VENV/.installing" # an interruption leaves it behind: an environment without pip also has a Python that runs
  "$python" -m venv "$VENV" >/dev/null 2>&1 || {
    rm -rf "$VENV"
    fail "$python cannot create a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
  }
  (cd -- "$VENV" && pwd -P | tr -d '\n' >.place)
}

# Whether everything in site-packages that was there after an installation is still there. `pip` may upgrade itself, and
# the version of our own package may change.
has_all_packages() {
  [ -e "$VENV/.packages" ] || return 0
  "$VENV/bin/python" - "$VENV/.packages" <<'PYTHON'
import os, sys, sysconfig
names = set(open(sys.argv[1]).read().split("\n")) - {""}
raise SystemExit(bool(names - set(os.listdir(sysconfig.get_path("purelib")))))
PYTHON
}
record_packages() {
  "$VENV/bin/python" - >"$VENV/.packages" <<'PYTHON'
import os, sysconfig
own = ("pip", "setuptools", "device_lobby", "_device_lobby", "__pycache__")
print(*(name for name in os.listdir(sysconfig.get_path("purelib")) if not name.startswith(own)), sep="\n")
PYTHON
}

# Installs the commands lobbyctl, lobby-device and lobby-pki from this checkout, as an editable package. Needs no network:
# the build backend is one of the pinned packages. The stamp is a digest of the checkout's path and package description.
ensure_commands() {
  local stamp=$VENV/.installed-commands digest
  digest=$(printf '%s\n' "$ROOT" | cat - "$ROOT/pyproject.toml" "$ROOT/lobby/__init__.py" | cksum)
  has_commands "$digest" && return
  lock_setup "$VENV/bin/python"
  if ! has_commands "$digest"; then # another set-up may have installed them meanwhile
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation \
      --editable "$ROOT" >&2 || fail "the commands could not be installed (see above)"
    printf '%s' "$digest" >"$stamp"
  fi
  unlock_setup
}
has_commands() {
  local name
  [ "$(cat "$VENV/.installed-commands" 2>/dev/null)" = "$1" ] || return
  for name in lobbyctl lobby-device lobby-pki lobby-verify; do [ -x "$VENV/bin/$name" ] || return; done
  [ -s "$(printf '%s\n' "$VENV"/lib/python3*/site-packages/_device_lobby.pth)" ]
}

# Installs the hash-pinned packages of a requirements file. The stamp is a digest of the file.
install_requirements() {
  local file=$1 stamp digest python
  stamp=$VENV/.installed-$(basename "$file" .txt)
  python=$(find_python)
  lock_setup "$python"
  ensure_venv "$python"
  digest=$("$VENV/bin/python" -c 'import hashlib,sys; print(hashlib.sha256(open(sys.argv[1],"rb").read()).hexdigest())' "$file")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$digest" ]; then
    say "· installing pinned packages ($(basename "$file"), about a minute the first time)"
    : >"$VENV/.installing"
    if command -v uv >/dev/null; then
      VIRTUAL_ENV=$VENV uv pip install --quiet --require-hashes -r "$file" >&2
    else
      "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file" >&2
    fi || {
      rm -f "$VENV/.installing"
      fail "packages could not be installed (see above)"
    }
    record_packages
    printf '%s' "$digest" >"$stamp"
    rm "$VENV/.installing"
  fi
  unlock_setup
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

# Installs the packages that a folder's lock file pins. npm writes `.package-lock.json` last.
install_node_packages() {
  local at=$1 what=$2 python
  shift 2
  has_node_packages "$at" && return
  python=$(find_python)
  lock_setup "$python"
  if ! has_node_packages "$at"; then
    say "· installing $what"
    (cd "$at" && npm ci "$@" --loglevel=error --no-audit --no-fund >/dev/null) || fail "$what could not be installed (see above)"
  fi
  unlock_setup
}
# Whether the installation is complete, newer than the lock file, and no package has been removed since.
has_node_packages() {
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && "$VENV/bin/python" - "$1" 2>/dev/null <<'PYTHON'
import json, os, sys
packages = json.load(open(f"{sys.argv[1]}/node_modules/.package-lock.json"))["packages"]
raise SystemExit(not all(os.path.isfile(f"{sys.argv[1]}/{name}/package.json") for name in packages))
PYTHON
}

# The console's packages, pinned by its lock file.
ensure_console_packages() {
  local at=$ROOT/admin_api/console
  install_node_packages "$at" "the console's pinned packages" --include=dev
}

# A digest of the console's sources.
console_digest() {
  (cd "$ROOT/admin_api" && find schema.graphql console -type f \
    -not -path 'console/node_modules/*' -not -path 'console/dist/*' -not -path 'console/earlier/*' -not -path 'console/tests/*' -not -name graphql-env.d.ts |
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat | "$VENV/bin/python" -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
}

# Builds the web console if its sources have changed. dist/.built is a digest of the sources.
ensure_console() {
  local at=$ROOT/admin_api/console digest
  digest=$(console_digest)
  [ "$(cat "$at/dist/.built" 2>/dev/null)" = "$digest" ] && [ -e "$at/dist/index.html" ] && return
  ensure_console_packages
  lock_setup "$VENV/bin/python"
  if [ "$(cat "$at/dist/.built" 2>/dev/null)" != "$digest" ] || [ ! -e "$at/dist/index.html" ]; then
    say "· building the web console"
    (cd "$at" && npm run --silent build >&2) || fail "the console could not be built (see above)"
    printf '%s' "$digest" >"$at/dist/.built"
  fi
  unlock_setup
}

ensure_cdk_cli() {
  local at=$ROOT/infra/cdk_cli
  install_node_packages "$at" "the pinned CDK CLI" --omit=optional
}
