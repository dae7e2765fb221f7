# Sourced by the other scripts: finds a Python, makes the virtual environment, installs what pyproject.toml names.
# Fast the second time: nothing is installed while pyproject.toml and the interpreter stay as they were.
#   PYTHON  the interpreter to use (default: python3 on PATH, else the first of 3.11-3.13 that is there)
#   VENV    the folder of the environment (default: .venv)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV="${VENV:-.venv}"

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        "$PYTHON" -c '' 2>/dev/null && command -v "$PYTHON" && return
        echo "PYTHON is $PYTHON, which does not run; name an interpreter of Python 3.11 to 3.13" >&2
        return 1
    fi
    local name
    for name in python3 python3.11 python3.12 python3.13; do
        if command -v "$name" >/dev/null && supported "$name"; then
            command -v "$name"
            return
        fi
    done
    for name in "$HOME"/.pyenv/versions/3.1[123].*/bin/python3; do
        if [ -x "$name" ] && supported "$name"; then
            echo "$name"
            return
        fi
    done
    if command -v python3 >/dev/null && python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        command -v python3      # newer than we test: as far as wheels exist
        return
    fi
    echo "no Python 3.11 or newer found; install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 1
}

set_up() {
    local python version stamp
    if [ -z "${PYTHON:-}" ] && [ -x "$VENV/bin/python" ]; then
        python="$VENV/bin/python"
    else
        python="$(find_python)"
    fi
    version="$("$python" -c 'import platform; print(platform.python_version())')"
    stamp="$version $(cksum < pyproject.toml)"
    if [ -f "$VENV/.installed" ] && [ "$(cat "$VENV/.installed")" = "$stamp" ]; then
        return
    fi
    echo "Setting up $VENV with Python $version (once; about a minute)" >&2
    if [ ! -x "$VENV/bin/python" ] || [ "$("$VENV/bin/python" -c 'import platform; print(platform.python_version())')" != "$version" ]; then
        rm -rf "$VENV"
        "$python" -m venv "$VENV"
    fi
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=pocketsphinx \
        -e '.[local,local-espeak,dev]' >&2
    echo "$stamp" > "$VENV/.installed"
}

set_up
PATH="$PWD/$VENV/bin:$PATH"
export PATH
