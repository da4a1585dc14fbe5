#!/usr/bin/env bash
# A Python server in a virtual environment of its own, kept by version: it needs none of ours.
#   pip_server.sh install PACKAGE VERSION    prints the folder of the environment
# Exits 3 with the reason where it cannot be had.
# Environments are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/PACKAGE-VERSION.
set -euo pipefail
[ "${1:-}" = install ] || { echo "usage: $0 install PACKAGE VERSION" >&2; exit 2; }
PACKAGE=${2:?package} VERSION=${3:?version}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind
VENV=$CACHE/$PACKAGE-$VERSION
PYTHON=${PYTHON:-python3}

cannot() { echo "$1" >&2; exit 3; }

mkdir -p "$CACHE"
exec 9> "$VENV.lock"
flock 9 # of two runs the second waits for what the first installs
if [ ! -f "$VENV/.complete" ]; then
  "$PYTHON" -m venv --clear "$VENV" >&2 || cannot "$PYTHON cannot make virtual environments"
  nice "$VENV/bin/pip" install -q --disable-pip-version-check --prefer-binary \
    "$PACKAGE==$VERSION" >&2 || cannot "pip could not install $PACKAGE $VERSION"
  touch "$VENV/.complete"
fi
echo "$VENV"
