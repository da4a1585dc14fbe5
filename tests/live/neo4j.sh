#!/usr/bin/env bash
# A real Neo4j Community server from Maven Central artifacts: no docker, no tarball.
#   neo4j.sh start INSTANCE BOLT_PORT HTTP_PORT PASSWORD    starts a server in the folder INSTANCE
#   neo4j.sh stop INSTANCE                                  stops it
# Needs java 17+, and mvn the first time. Exits 3 with the reason where the server cannot be had.
# The jars are kept in ${XDG_CACHE_HOME:-$HOME/.cache}/graphmind, by version.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VERSION=${NEO4J_VERSION:-5.26.30}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/graphmind/neo4j
LIB=$CACHE/lib-$VERSION
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
WAIT_S=${NEO4J_WAIT_S:-180}
COMMAND=${1:?start or stop} INSTANCE=${2:?folder of the server}
PIDFILE=$INSTANCE/pid

cannot() { echo "$1" >&2; exit 3; }

if [ "$COMMAND" = stop ]; then
  [ -f "$PIDFILE" ] || exit 0
  PID=$(cat "$PIDFILE")
  kill "$PID" 2>/dev/null || true
  for _ in $(seq 300); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
  rm -f "$PIDFILE"
  exit 0
fi
BOLT=${3:?Bolt port} HTTP=${4:?HTTP port} PASSWORD=${5:?password of user neo4j, 8 characters or more}

command -v "$JAVA" >/dev/null || cannot "no java: install a Java 17 runtime"
MAJOR=$("$JAVA" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${MAJOR:-0}" -ge 17 ] || cannot "java ${MAJOR:-unknown} is older than 17"

if [ ! -f "$LIB/.complete" ]; then
  command -v mvn >/dev/null || cannot "no mvn to download Neo4j $VERSION: install maven"
  PART=$LIB.part.$$
  mkdir -p "$PART"
  mvn -q -B -ntp -f "$HERE/pom.xml" -Dneo4j.version="$VERSION" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$PART" >&2 ||
    { rm -rf "$PART"; cannot "mvn could not download Neo4j $VERSION"; }
  touch "$PART/.complete"
  mv -T "$PART" "$LIB" 2>/dev/null || rm -rf "$PART" # another run was first
fi

mkdir -p "$INSTANCE"/{conf,data,logs,import,plugins}
cat > "$INSTANCE/conf/neo4j.conf" <<CONF
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:$BOLT
server.bolt.advertised_address=127.0.0.1:$BOLT
server.http.listen_address=127.0.0.1:$HTTP
server.http.advertised_address=127.0.0.1:$HTTP
server.memory.pagecache.size=64m
dbms.usage_report.enabled=false
client.allow_telemetry=false
CONF
# The main class is named in the jar: CommunityEntryPoint in 5.26, Neo4jCommunity in 2026.
MAIN=$(python3 -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read("META-INF/services/org.neo4j.server.startup.EntryPoint").decode().split()[0])' "$LIB/neo4j-$VERSION.jar")
CLASSES="$INSTANCE/plugins/*:$INSTANCE/conf:$LIB/*"
NEO4J_HOME=$INSTANCE NEO4J_CONF=$INSTANCE/conf "$JAVA" -Xmx256m -cp "$CLASSES" \
  org.neo4j.cli.AdminTool dbms set-initial-password "$PASSWORD" >&2
setsid nohup "$JAVA" -Xms512m -Xmx512m -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
  -Dfile.encoding=UTF-8 -Dio.netty.tryReflectionSetAccessible=true \
  --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.io=ALL-UNNAMED \
  --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
  -cp "$CLASSES" "$MAIN" --home-dir="$INSTANCE" --config-dir="$INSTANCE/conf" \
  </dev/null >"$INSTANCE/logs/stdout.log" 2>&1 &
echo $! > "$PIDFILE"
for ((i = 0; i < WAIT_S * 5; i++)); do
  kill -0 "$(cat "$PIDFILE")" 2>/dev/null || { tail -n 20 "$INSTANCE/logs/stdout.log" >&2; exit 1; }
  # HTTP opens about a second after Bolt.
  (exec 3<>"/dev/tcp/127.0.0.1/$HTTP") 2>/dev/null && exit 0
  sleep 0.2
done
echo "Neo4j does not answer after $WAIT_S s; its log is in $INSTANCE/logs" >&2
exit 1
