# Sourced by the other scripts: finds a Python, makes the virtual environment, installs what pyproject.toml names.
# Fast the second time: nothing is installed while pyproject.toml and the interpreter stay as they were.
#   PYTHON  the interpreter to use (default: python3 on PATH, else the first of 3.11-3.13 that is there)
#   VENV    the folder of the environment (default: .venv)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV="${VENV:-.venv}"

# Prints "supported 3.12.4", "untested 3.14.0" or "old 3.10.2"; anything else comes from what is no Python that runs.
judged() {
    "$1" -c 'import platform, sys
found = sys.version_info[:2]
verdict = "old" if found < (3, 11) else "supported" if found < (3, 14) else "untested"
print(verdict + " " + platform.python_version())' 2>/dev/null || true
}

supported() { case "$(judged "$1")" in supported\ *) ;; *) return 1 ;; esac; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        case "$(judged "$PYTHON")" in
            supported\ * | untested\ *)
                command -v "$PYTHON"
                return
                ;;
            old\ *) echo "PYTHON is $PYTHON, which is older than Python 3.11; name one of 3.11 to 3.13" >&2 ;;
            *) echo "PYTHON is $PYTHON, which is no Python that runs; name an interpreter of 3.11 to 3.13" >&2 ;;
        esac
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
    case "$(judged python3)" in
        untested\ *)            # as far as wheels exist
            command -v python3
            return
            ;;
    esac
    echo "no Python 3.11 or newer found; install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 1
}

set_up() {
    local python present chosen version stamp
    present="$(judged "$VENV/bin/python")"
    case "${PYTHON:-} $present" in
        \ supported\ * | \ untested\ *)
            python="$VENV/bin/python"
            chosen="$present"
            ;;
        *)
            python="$(find_python)"
            chosen="$(judged "$python")"
            ;;
    esac
    version="${chosen#* }"
    stamp="$version $(cksum < pyproject.toml)"
    if [ "$present" = "$chosen" ] && [ -f "$VENV/.installed" ] && [ "$(cat "$VENV/.installed")" = "$stamp" ]; then
        return
    fi
    echo "Setting up $VENV with Python $version (once; about a minute)" >&2
    if [ "$chosen" = "untested $version" ]; then
        echo "Python $version is newer than those that Dialtone is tested with (3.11 to 3.13); trying it" >&2
    fi
    if [ "$present" != "$chosen" ] || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python cannot make virtual environments; install its venv package (Debian: python3-venv)" >&2
            return 1
        fi
        # --clear instead of rm: it works from the environment's own interpreter too
        if ! "$python" -m venv --clear "$VENV" >&2; then
            echo "$python could not make $VENV; it says above why" >&2
            return 1
        fi
    fi
    rm -f "$VENV/.installed"    # from here on, what is in it is not what the stamp says
    if ! "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=pocketsphinx \
        -e '.[local,local-espeak,dev]' >&2; then
        echo "what pyproject.toml names could not be installed into $VENV; pip says above why, and the next run tries again" >&2
        return 1
    fi
    echo "$stamp" > "$VENV/.installed"
}

set_up
PATH="$(cd "$VENV/bin" && pwd):$PATH"
export PATH
