#!/bin/sh
# Builds ../static/liaison.css from liaison.scss. Needs Node; run it after a change and commit what it wrote.
# Versions are pinned: govuk-frontend 6.3 is the one whose markup govuk-frontend-jinja 4.1 writes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts govuk-frontend@6.3.0 sass@1.108.2 >/dev/null 2>&1
{
  printf '/* Built by styles/build.sh. Holds code of govuk-frontend 6.3.0: MIT, see LICENCE-govuk-frontend.txt. */\n'
  node_modules/.bin/sass --no-charset --no-source-map --style=compressed --quiet-deps --load-path=node_modules \
    "$here/liaison.scss" |
    sed 's/#1d70b8/#0b5c63/g' # the chosen option of a select has GOV.UK's blue, which no setting of theirs replaces
} >"$here/../static/liaison.css"
