#!/usr/bin/env bash
# ClickHouse's engine as a Python package (about 560 MB): SQL without a server.
#   chdb.sh install    prints the folder to put on the module path
# Exits 3 with the reason where it cannot be had. $PYTHON must be the interpreter that imports it.
# Packages are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/chdb-VERSION.
set -euo pipefail
[ "${1:-}" = install ] || { echo "usage: $0 install" >&2; exit 2; }
VERSION=${CHDB_VERSION:-4.4.0} CORE=${CHDB_CORE_VERSION:-26.9.0}
PYTHON=${PYTHON:-python3}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind
FOLDER=$CACHE/chdb-$VERSION

mkdir -p "$CACHE"
exec 9>"$FOLDER.lock"
flock 9 # of two runs the second waits for what the first installs
if [ ! -f "$FOLDER/.complete" ]; then
  rm -rf "$FOLDER"
  # Without what it depends on: pandas would shadow nothing here, but double the download.
  nice -n 19 "$PYTHON" -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: \
    --target "$FOLDER" "chdb==$VERSION" "chdb-core==$CORE" >&2 ||
    { rm -rf "$FOLDER"; echo "pip could not install chdb $VERSION" >&2; exit 3; }
  touch "$FOLDER/.complete"
fi
echo "$FOLDER"
