#!/usr/bin/env bash
# One stage of the GPU kit: bash benchmarks/gpu/run.sh STAGE; README.md beside this says in which order.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export HEADTOHEAD_WORK="${HEADTOHEAD_WORK:-/tmp/headtohead-gpu}"
export OUT="${OUT:-$PWD/build/gpu/out}"
export MPLBACKEND=Agg PYTHONUNBUFFERED=1
# What PyTorch compiles is kept for the next command.
export TORCHINDUCTOR_CACHE_DIR="$HEADTOHEAD_WORK/compiled"
# Wheels that were carried come before what the machine has.
export PYTHONPATH="$HEADTOHEAD_WORK/site:$PWD/src${PYTHONPATH:+:$PYTHONPATH}"

python=.venv/bin/python
[ -x "$python" ] || python=python3
case "${1:-}" in
    "" | wheels | pieces) exec "${PYTHON:-$python}" -m benchmarks.gpu.stages "$@" ;;
esac
mkdir -p "$HEADTOHEAD_WORK/logs"
"${PYTHON:-$python}" -m benchmarks.gpu.stages "$@" 2>&1 | tee -a "$HEADTOHEAD_WORK/logs/$(basename "$1").log"
