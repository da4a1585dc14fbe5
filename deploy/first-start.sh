#!/bin/sh
# Writes .env beside docker-compose.yml with random passwords, once; compose does not start without.
#   deploy/first-start.sh [FOLDER]
set -eu
FOLDER=${1:-$(cd "$(dirname "$0")/.." && pwd)}
FILE=$FOLDER/.env
if [ -e "$FILE" ]; then
  echo "$FILE is there already: remove it for new passwords (and the volumes that hold the old ones)"
  exit 0
fi
secret() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 32; }
umask 077
cat > "$FILE.new" <<END
NEO4J_PASSWORD=$(secret)
GRAFANA_PASSWORD=$(secret)
OTLP_TOKEN=$(secret)
END
mv "$FILE.new" "$FILE"
echo "Wrote $FILE. Next: docker compose up -d; Grafana (user admin) is http://127.0.0.1:3000"
