#!/usr/bin/env bash
# Sets up a private environment on first use, then runs streamgauge in it.
#   ./run.sh             the default suite
#   ./run.sh test        linters, types, import rules and tests
#   ./run.sh VERB ...    streamgauge VERB ...
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$root/.venv"
PATH=":$PATH:"
PATH="${PATH//:$venv\/bin:/:}"  # where it is activated: its Python is about to be removed with it
PATH="${PATH#:}"
PATH="${PATH%:}"
lock="$root/requirements.lock"

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "run.sh: streamgauge needs Python 3.11 or newer, and none was found." >&2
    echo "Install one, or name it: PYTHON=/path/to/python3.12 ./run.sh" >&2
    exit 2
}

set_up() {
    local python
    python=$(find_python)
    echo "Setting up streamgauge's environment in $venv (once) ..." >&2
    rm -rf "$venv"
    if command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$python" "$venv"
        uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock"
        uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e "$root"
    else
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
    fi
    "$venv/bin/python" -m compileall -q "$root/harness" "$root/results" "$root/scenarios" "$root/analysis" "$root/targets"
    # Last, so that an interrupted set-up starts over.
    stamp >"$venv/installed-from"
}

# An environment knows its own folder: moved, or made from another lock, it is made anew.
stamp() {
    echo "$root"
    cat "$lock"
}

if ! stamp | cmp -s - "$venv/installed-from"; then
    exec 9>"$root/.setting-up"
    if command -v flock >/dev/null; then
        flock 9  # somebody else may be setting up just now
    fi
    stamp | cmp -s - "$venv/installed-from" || set_up
    exec 9>&-
fi

if [ "${1:-}" = test ]; then
    shift
    PATH="$venv/bin:$PATH"
    cd "$root"
    ruff check .
    ruff format --check .
    mypy
    lint-imports
    [ $# -eq 0 ] || exec python -m pytest "$@"
    # Four lanes side by side: what measures; two of what mostly waits; and what does neither, which takes only
    # the time that the others leave over. Tests that share a run are in one lane, else it is made twice.
    waiting=(tests/harness tests/cli/test_{conform,own_server,target_keys}.py tests/test_install.py)
    going=(tests/scenarios tests/cli/test_{calibrate,doctor,init,interrupt,killed,live,manner}.py
        tests/cli/test_{run,surroundings,traces,web}.py)
    pure=(tests/analysis tests/results tests/targets tests/bench
        tests/cli/test_{compare,completion,disk,export,history,report,secrets,sheets,stored_ab,terminals}.py
        tests/test_{documents,imports,servers_page}.py)
    said=$(mktemp -d)
    set -m  # else what runs in the background, and all that it starts, ignores Ctrl-C
    python -m pytest -o cache_dir="$said/failed-waiting" "${waiting[@]}" >"$said/waiting" 2>&1 &
    lanes=("waiting:$!")
    python -m pytest -o cache_dir="$said/failed-going" "${going[@]}" >"$said/going" 2>&1 &
    lanes+=("going:$!")
    nice -n 19 python -m pytest -o cache_dir="$said/failed-pure" "${pure[@]}" >"$said/pure" 2>&1 &
    lanes+=("pure:$!")
    trap 'kill "${lanes[@]#*:}" 2>/dev/null || true; rm -rf "$said"' EXIT
    others=("${waiting[@]}" "${going[@]}" "${pure[@]}")
    code=0 failed=()
    python -m pytest -o cache_dir="$said/failed-measuring" tests "${others[@]/#/--ignore=}" \
        | tee -i "$said/measuring" || code=$?
    [ "$code" -ne 2 ] || exit 2  # interrupted: so are the others
    [ "$code" -ne 1 ] || failed+=(measuring)
    for lane in "${lanes[@]}"; do
        ended=0
        wait "${lane#*:}" || ended=$?
        echo "The lane ${lane%%:*}:"
        cat "$said/${lane%%:*}"
        [ "$ended" -ne 1 ] || failed+=("${lane%%:*}")
        [ "$ended" -le 1 ] || code=$ended
    done
    # Lanes disturb each other, and who shares this machine disturbs them all: what failed is run once more, alone.
    # What fails twice has failed.
    if [ "$code" -le 1 ]; then
        code=0
        for lane in ${failed[@]+"${failed[@]}"}; do
            echo "Once more, what failed in the lane $lane:"
            python -m pytest -o cache_dir="$said/failed-$lane" --last-failed --last-failed-no-failures none \
                --maxfail=3 tests || code=$?
        done
    fi
    # what failed in any of them at first, once more at the end
    (cd "$said" && grep -d skip -E '^(FAILED|ERROR) ' ./*) || true
    exit "$code"
fi

# The environment is not put into PATH: what is measured is not to find it there (harness/servers/surroundings.py).
export STREAMGAUGE_COMMAND="$0"  # what messages tell the user to type
export STREAMGAUGE_RESULTS="${STREAMGAUGE_RESULTS:-$root/results/runs}"
[ $# -gt 0 ] || set -- run
exec "$venv/bin/streamgauge" "$@"
