#!/bin/sh
# Bundles the page of the telephone into ../static/telephone, and writes SHA256SUMS. Needs Node; run it after a change and commit
# what it wrote: the server needs none. `build.sh FOLDER` writes there instead.
set -eu
cd "$(dirname "$0")"
to=${1:-../static/telephone}
[ -x node_modules/.bin/esbuild ] || npm ci --silent
for name in app service_worker; do
  node_modules/.bin/esbuild "$name.js" --bundle --minify --format=esm --target=chrome120,safari17,firefox130 --charset=utf8 \
    --define:process.env.NODE_ENV='"production"' --legal-comments=inline --log-level=warning --outfile="$to/$name.js"
done
(cd "$to" && sha256sum app.js service_worker.js) >"$to/SHA256SUMS"
