#!/bin/sh
# Sets up what this machine lacks, and nothing it has. `deploy/setup.sh run` is enough to serve; `deploy/setup.sh test`
# adds the tools of the checks, the FHIR clients of npm that the tests drive the service with and, when root, Debian's
# Chromium, PostgreSQL 15, nginx, Dovecot and Node.js.
# Asks for nothing. The second call with unchanged locks returns at once.
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
venv=.venv
python=${PYTHON:-python3}

say() { printf '%s\n' "setup: $*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  say "Python 3.11 or newer is needed (Debian 12: apt-get install python3 python3-pip)."
  exit 1
}
if [ ! -x "$venv/bin/python" ]; then
  say "making $venv"
  # Without pip inside: Debian keeps ensurepip in a package of its own, and the machine's pip can fill the folder.
  "$python" -m venv --without-pip "$venv"
fi

lock=requirements.lock
if [ "$want" = test ]; then lock=requirements-dev.lock; fi
mkdir -p .stamps
stamp=.stamps/$lock
sum=$( (cat "$lock" pyproject.toml; pwd) | sha256sum | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
  "$python" -m pip --version >/dev/null 2>&1 || {
    say "pip is needed (Debian 12: apt-get install python3-pip)."
    exit 1
  }
  say "installing the locked libraries ($lock)"
  "$python" -m pip --python "$venv/bin/python" install -q --disable-pip-version-check --require-hashes -r "$lock"
  # The project itself, in place. Its build tool comes from the same lock, so that nothing unlocked is fetched.
  "$python" -m pip --python "$venv/bin/python" install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
  printf '%s' "$sum" >"$stamp"
fi

[ "$want" = test ] || exit 0

missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
/sbin/ldconfig -p | grep -q libatomic.so.1 || missing="$missing libatomic1" # of the program that drives Chromium
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing="$missing postgresql-15"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
[ -x /usr/sbin/dovecot ] || missing="$missing dovecot-imapd" # the mailbox of the tests
command -v faketime >/dev/null 2>&1 || missing="$missing faketime" # gives a worker a wrong clock
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086  # the list is meant to be split
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    say "not root: the tests that need them are skipped until an administrator runs: apt-get install$missing"
  fi
fi

# npm_locked FOLDER STAMP WHAT: what is locked in that folder, once.
npm_locked() {
  sum=$(cat "$1/package.json" "$1/package-lock.json" "$1/.npmrc" | sha256sum | cut -d' ' -f1)
  if command -v npm >/dev/null 2>&1 && { [ "$(cat "$2" 2>/dev/null)" != "$sum" ] || [ ! -d "$1/node_modules" ]; }; then
    say "installing $3"
    if npm ci --prefix "$1" --silent >&2; then
      printf '%s' "$sum" >"$2"
    else
      # What is half there would look whole to the tests.
      rm -rf "$1/node_modules"
      say "npm could not install them: the tests that need them are skipped. Try again: make setup-dev"
    fi
  fi
}
npm_locked tests/services/clients/node .stamps/npm "the locked FHIR clients of npm"
npm_locked services/liaison/services/pages/telephone_app .stamps/npm-telephone "what bundles the page of the telephone"
