#!/bin/sh
# Takes the picture of a report that README.md shows.
# Usage: sh tools/report_picture.sh RUN/report.html docs/images/report.png     (CHROMIUM names the browser)
set -eu
[ $# -eq 2 ] || { echo "usage: sh tools/report_picture.sh REPORT.html PICTURE.png" >&2; exit 2; }
[ -f "$1" ] || { echo "$1: no such report; make one with headstart fit" >&2; exit 2; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
page=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$profile" --window-size=1200,1400 --screenshot="$2" "file://$page"
python - "$2" <<'PY'
import sys

from PIL import Image

with Image.open(sys.argv[1]) as picture:
    picture.convert("RGB").quantize(64).save(sys.argv[1], optimize=True)
PY
