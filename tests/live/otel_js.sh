#!/usr/bin/env bash
# The OTLP exporters of OpenTelemetry for JavaScript, kept by version.
#   otel_js.sh install VERSION SDK_VERSION    prints the folder that has them in node_modules
# Exits 3 with the reason where they cannot be had.
# They are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/otel-js-VERSION.
set -euo pipefail
[ "${1:-}" = install ] || { echo "usage: $0 install VERSION SDK_VERSION" >&2; exit 2; }
VERSION=${2:?version} SDK=${3:?version of the SDK}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind
FOLDER=$CACHE/otel-js-$VERSION

cannot() { echo "$1" >&2; exit 3; }

command -v node > /dev/null && command -v npm > /dev/null || cannot "node and npm are not installed"
mkdir -p "$CACHE"
exec 9> "$FOLDER.lock"
flock 9 # of two runs the second waits for what the first installs
if [ ! -f "$FOLDER/.complete" ]; then
  rm -rf "$FOLDER" && mkdir "$FOLDER" && echo '{"private":true}' > "$FOLDER/package.json"
  (cd "$FOLDER" && nice npm install --silent --no-audit --no-fund --ignore-scripts \
    @opentelemetry/api@1 "@opentelemetry/sdk-trace-base@$SDK" \
    "@opentelemetry/exporter-trace-otlp-http@$VERSION" \
    "@opentelemetry/exporter-trace-otlp-proto@$VERSION" \
    "@opentelemetry/exporter-trace-otlp-grpc@$VERSION") >&2 ||
    cannot "npm could not install the exporters $VERSION"
  touch "$FOLDER/.complete"
fi
echo "$FOLDER"
