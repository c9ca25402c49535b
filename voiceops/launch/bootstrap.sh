# Sourced by ./run and ./test from the project's root: finds Python and makes .venv.
# prepare NAME: install requirements/NAME.txt and the weights into it; exits with one line on trouble.

venv=$PWD/.venv

# Without its byte code every one of the platform's processes compiles 2000 modules at every start.
unset PYTHONDONTWRITEBYTECODE

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${VOICEOPS_PYTHON:-python3.13 python3.12 python3.11 python3.14 python3}; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            printf '%s' "$candidate"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        found=$(python3 --version 2>/dev/null || echo "no python3")
        fail "VoiceOps needs Python 3.11 or later, but found $found: apt install python3 python3-venv"
    fi
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "Python $version has no venv module: apt install python$version-venv (or python3-venv)"
    if [ -e .venv ] && [ ! -e .venv/pyvenv.cfg ] && [ -n "$(ls -A .venv 2>/dev/null)" ]; then
        fail ".venv exists and is not a virtual environment: move it away and start again"
    fi
    printf 'Making .venv with Python %s\n' "$version"
    rm -rf .venv
    error=$("$python" -m venv .venv 2>&1) || {
        rm -rf .venv
        fail "Could not make $PWD/.venv: $(printf '%s' "$error" | tail -n 1)"
    }
}

prepare() {
    [ -w . ] || [ -w .venv ] ||
        fail "Cannot write to $PWD as $(id -un): start as the owner of this folder, or copy it to your own"
    if ! is_new_enough "$venv/bin/python" ||
        ! "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        make_venv
    fi
    "$venv/bin/python" voiceops/launch/install.py "$@" || exit $?
}
