#!/usr/bin/env bash
# A real Jaeger, built from its Go module: no docker, no download of a binary.
#   jaeger.sh build                                    builds it once (4-9 minutes on 2 cores)
#   jaeger.sh start INSTANCE QUERY_PORT OTLP_PORT PORT...   starts it in the folder INSTANCE, in memory;
#                                                      three more free ports are for its inner servers
#   jaeger.sh stop INSTANCE                            stops it
# Needs Go the first time. Exits 3 with the reason where the server cannot be had.
# The binary is kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind, by version.
set -euo pipefail
VERSION=${JAEGER_VERSION:-1.76.0}
MODULE=github.com/jaegertracing/jaeger@v$VERSION
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/jaeger
BINARY=$CACHE/jaeger-$VERSION
WAIT_S=${JAEGER_WAIT_S:-60}
COMMAND=${1:?build, start or stop}

cannot() { echo "$1" >&2; exit 3; }

build() {
  [ -x "$BINARY" ] && return
  command -v go >/dev/null || cannot "no go to build Jaeger $VERSION: install Go 1.26 or newer"
  mkdir -p "$CACHE"
  exec 9>"$BINARY.lock"
  flock 9 # another run may be building it
  [ -x "$BINARY" ] && return
  local module folder
  module=$(cd "$CACHE" && go mod download -json "$MODULE") ||
    cannot "go could not download $MODULE"
  folder=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$module")
  # `go install MODULE` refuses, because of a `replace` in its go.mod.
  (cd "$folder" && nice -n 19 go build -o "$BINARY.part" ./cmd/jaeger >&2) ||
    cannot "go could not build $MODULE"
  mv "$BINARY.part" "$BINARY"
}

if [ "$COMMAND" = build ]; then
  build
  echo "$BINARY"
  exit 0
fi
INSTANCE=${2:?folder of the server}
PIDFILE=$INSTANCE/pid

if [ "$COMMAND" = stop ]; then
  [ -f "$PIDFILE" ] || exit 0
  PID=$(cat "$PIDFILE")
  kill "$PID" 2>/dev/null || true
  for _ in $(seq 300); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
  rm -f "$PIDFILE"
  exit 0
fi
QUERY=${3:?port of the query API} OTLP=${4:?port of OTLP over HTTP}
QUERY_GRPC=${5:?a free port} HEALTH=${6:?a free port} METRICS=${7:?a free port}
build

mkdir -p "$INSTANCE"
cat > "$INSTANCE/config.yaml" <<CONF
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines:
    traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: $METRICS}}}
extensions:
  healthcheckv2: {use_v2: true, http: {endpoint: "127.0.0.1:$HEALTH"}}
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "127.0.0.1:$QUERY"}
    grpc: {endpoint: "127.0.0.1:$QUERY_GRPC"}
  jaeger_storage:
    backends:
      memory: {memory: {max_traces: 100000}}
receivers:
  otlp:
    protocols: {http: {endpoint: "127.0.0.1:$OTLP"}}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
CONF
setsid nohup "$BINARY" --config "$INSTANCE/config.yaml" </dev/null >"$INSTANCE/log" 2>&1 9>&- &
echo $! > "$PIDFILE"
for ((i = 0; i < WAIT_S * 5; i++)); do
  kill -0 "$(cat "$PIDFILE")" 2>/dev/null || { tail -n 20 "$INSTANCE/log" >&2; exit 1; }
  if (exec 3<>"/dev/tcp/127.0.0.1/$QUERY") 2>/dev/null &&
    (exec 3<>"/dev/tcp/127.0.0.1/$OTLP") 2>/dev/null; then exit 0; fi
  sleep 0.2
done
echo "Jaeger does not answer after $WAIT_S s; its log is in $INSTANCE/log" >&2
exit 1
