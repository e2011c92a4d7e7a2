#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# count-allocs.sh [BUILD-FOLDER]: prints how often a warm wsgw of that build
# called the heap during 10,000 messages that it passed through. "make
# bench-allocs" builds what this needs. CASES as in bench.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-.}
export PROGRAMS="${PROGRAMS:-$build/tests/bench}"
export WSGW="${WSGW:-$build/wsgw}"
exec "${PYTHON3:-python3}" "$here/bench.py" allocs
