#!/usr/bin/env bash
# A real Loki, built from its Go module: no docker, no download of a binary.
#   loki.sh build                            builds it once (6-12 minutes on 2 cores)
#   loki.sh start INSTANCE HTTP_PORT PORT    starts it in the folder INSTANCE; PORT is for its gRPC
#   loki.sh stop INSTANCE                    stops it
# Needs Go the first time. Exits 3 with the reason where the server cannot be had.
# The binary is kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind, by version.
set -euo pipefail
VERSION=${LOKI_VERSION:-3.7.8}
MODULE=github.com/grafana/loki/v3@v$VERSION
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/loki
BINARY=$CACHE/loki-$VERSION
WAIT_S=${LOKI_WAIT_S:-90}
COMMAND=${1:?build, start or stop}

cannot() { echo "$1" >&2; exit 3; }

build() {
  [ -x "$BINARY" ] && return
  command -v go >/dev/null || cannot "no go to build Loki $VERSION: install Go 1.26 or newer"
  mkdir -p "$CACHE"
  exec 9>"$BINARY.lock"
  flock 9 # another run may be building it
  [ -x "$BINARY" ] && return
  local module folder
  module=$(cd "$CACHE" && go mod download -json "$MODULE") ||
    cannot "go could not download $MODULE"
  folder=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$module")
  # Its go.mod replaces a module by a folder of its repository, which the download leaves out.
  install -m 644 "$folder/go.mod" "$CACHE/loki.mod"
  install -m 644 "$folder/go.sum" "$CACHE/loki.sum"
  (cd "$CACHE" && go mod edit -dropreplace=github.com/grafana/loki/pkg/push loki.mod)
  (cd "$folder" && nice -n 19 go build -mod=mod -modfile="$CACHE/loki.mod" \
    -o "$BINARY.part" ./cmd/loki >&2) || cannot "go could not build $MODULE"
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
  kill -9 "$PID" 2>/dev/null || true
  rm -f "$PIDFILE"
  exit 0
fi
HTTP=${3:?HTTP port} GRPC=${4:?a free port}
# The recorded replies test the loader without it, so nobody waits for a build that was not asked for.
[ -x "$BINARY" ] || cannot "no Loki $VERSION yet: tests/live/loki.sh build makes it once (6-12 minutes)"

mkdir -p "$INSTANCE"
cat > "$INSTANCE/config.yaml" <<CONF
auth_enabled: true
server:
  http_listen_address: 127.0.0.1
  http_listen_port: $HTTP
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: $GRPC
common:
  instance_addr: 127.0.0.1
  path_prefix: $INSTANCE/data
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
  storage: {filesystem: {chunks_directory: $INSTANCE/data/chunks, rules_directory: $INSTANCE/data/rules}}
schema_config:
  configs:
    - from: 2024-01-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {prefix: index_, period: 24h}
limits_config:
  max_entries_limit_per_query: 50
analytics: {reporting_enabled: false}
CONF
setsid nohup "$BINARY" -config.file="$INSTANCE/config.yaml" </dev/null >"$INSTANCE/log" 2>&1 9>&- &
echo $! > "$PIDFILE"
for ((i = 0; i < WAIT_S * 2; i++)); do
  kill -0 "$(cat "$PIDFILE")" 2>/dev/null || { tail -n 20 "$INSTANCE/log" >&2; exit 1; }
  # No curl is needed for this much HTTP.
  if exec 3<>"/dev/tcp/127.0.0.1/$HTTP"; then
    printf 'GET /ready HTTP/1.0\r\n\r\n' >&3
    read -r _ STATUS _ <&3 || STATUS=
    exec 3>&-
    [ "$STATUS" = 200 ] && exit 0
  fi 2>/dev/null
  sleep 0.5
done
echo "Loki is not ready after $WAIT_S s; its log is in $INSTANCE/log" >&2
exit 1
