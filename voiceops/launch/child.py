"""Become another program that cannot outlive its parent.

    python -m voiceops.launch.child [--signal INT] [--user NAME] [--capable] -- COMMAND …

The kernel sends the signal when the parent dies, however it dies. As root, `--user` gives up
root's identity first; `--capable` then keeps only the right to enter and read folders, for a
program whose files lie below a folder that this user may not enter.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import signal
import struct
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_NO_SETUID_FIXUP = 1 << 2
_DAC_OVERRIDE = 1
_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: int, second: int = 0) -> None:
    if _libc.prctl(option, argument, second, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")


def die_with_parent(number: int) -> None:
    """Get signal `number` when the parent process dies."""
    _prctl(_PR_SET_PDEATHSIG, number)


def permitted_capabilities() -> int:
    """This process's permitted capabilities as a bit mask."""
    with open("/proc/self/status") as status:  # noqa: PTH123  (this module starts often: no pathlib)
        for line in status:
            if line.startswith("CapPrm:"):
                return int(line.split()[1], 16)
    return 0


def reading_capability() -> int | None:
    """The weakest capability at hand that lets a process enter any folder, or None."""
    permitted = permitted_capabilities()
    for capability in (_DAC_READ_SEARCH, _DAC_OVERRIDE):
        if permitted >> capability & 1:
            return capability
    return None


def become(user: str, *, capable: bool) -> None:
    """Change to `user`, optionally keeping the right to enter and read folders."""
    entry = pwd.getpwnam(user)
    capability = reading_capability() if capable else None
    if capability is not None:
        # access(2) of another user ignores capabilities unless this bit stands.
        _prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP)
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    if capability is not None:
        mask = 1 << capability
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        data = struct.pack("=IIIIII", mask, mask, mask, 0, 0, 0)
        if _libc.capset(header, data) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"capset: {os.strerror(error)}")
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
    os.environ["HOME"] = "/"
    os.environ["USER"] = os.environ["LOGNAME"] = user


def main() -> None:
    parser = argparse.ArgumentParser(prog="voiceops.launch.child")
    parser.add_argument("--signal", default="TERM", choices=("TERM", "INT", "KILL"))
    parser.add_argument("--user")
    parser.add_argument("--capable", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    parent = os.getppid()
    if options.user:
        become(options.user, capable=options.capable)
    die_with_parent(signal.Signals[f"SIG{options.signal}"])  # after the change of user, which clears it
    if os.getppid() != parent:
        sys.exit("the parent died before the start")
    try:
        os.execvp(options.command[0], options.command)
    except OSError as error:
        sys.exit(f"cannot start {options.command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
