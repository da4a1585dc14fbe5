#!/bin/sh
# Makes the API key that Grafana reads graphmind by, once: role viewer, kept in FILE.
#   make-key.sh FILE
# The data folder is the one of GRAPHMIND_DATA_DIR. A key whose file is gone is made anew.
set -eu
FILE=${1:?file to keep the key in}
[ -s "$FILE" ] && exit 0
graphmind keys revoke grafana >/dev/null 2>&1 || true
MADE=$(graphmind keys create grafana --role viewer --json)
# Only this container and Grafana's mount the folder; Grafana runs as another user.
printf '%s' "$MADE" | python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["token"])' > "$FILE.new"
chmod 0444 "$FILE.new"
mv "$FILE.new" "$FILE"
