#!/usr/bin/env bash
# Builds static/vendor/sigma.js: sigma and graphology as one ES module, with their licences beside it.
# Needs npm. Run it to change a version, then commit what it wrote; nobody else has to.
set -euo pipefail
SIGMA=3.0.3 GRAPHOLOGY=0.26.0 ESBUILD=0.28.2
here="$(cd "$(dirname "$0")" && pwd)"
out="$here/graphmind_console/static/vendor"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --save-exact --no-audit --no-fund "sigma@$SIGMA" "graphology@$GRAPHOLOGY" "esbuild@$ESBUILD" >/dev/null
cat >entry.js <<'JS'
export { default as Sigma } from "sigma";
export { default as Graph } from "graphology";
export { NodePointProgram } from "sigma/rendering";
JS
mkdir -p "$out"
node_modules/.bin/esbuild entry.js --bundle --minify --format=esm --target=es2022 \
  --legal-comments=none --outfile="$out/sigma.js" --log-level=warning
{
  for package in sigma graphology graphology-utils events; do
    printf '== %s %s ==\n\n' "$package" "$(node -p "require('./node_modules/$package/package.json').version")"
    cat "node_modules/$package/LICENSE"*
    printf '\n\n'
  done
} >"$out/LICENSES.txt"
cd "$out" && sha256sum sigma.js LICENSES.txt >SHA256SUMS
