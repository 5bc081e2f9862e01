#!/bin/sh
# Two models from start to report: handwritten digits from an image folder, support requests from a table.
# Run by `make demo`; by hand, with headstart installed: sh examples/demo.sh. Everything is written to demo/.
# Strategies and epochs are fixed, so that the verdicts are the same on a slow machine and on a fast one.
set -eu
cd "$(dirname "$0")/.."

# Written under another name first, so that a run cut short leaves no half folder behind.
if [ ! -d demo/digits ]; then
    rm -rf demo/digits.part
    python examples/make_digits.py demo/digits.part --per-class 40 >/dev/null
    mv demo/digits.part demo/digits
fi

echo "== which digit is it? (a base of photographs on drawn digits: see what the verdict makes of it) =="
headstart fit demo/digits --strategy partial --epochs 3 --out demo/runs/digits --overwrite
headstart predict demo/runs/digits demo/digits/3/0003.png

echo "== which team should answer? =="
headstart fit examples/support_requests.csv --strategy probe --out demo/runs/support --overwrite
headstart predict demo/runs/support \
    "where is my parcel?" \
    "I paid twice for the same thing" \
    "what is the capital of Peru?"

echo
echo "The reports are pages for your browser:"
find demo/runs -name '*.html' | sort | sed 's/^/    /'
