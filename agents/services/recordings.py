"""How long a caller's voice is kept."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from agents.details import recordings_dir
from agents.models import Conversation

log = logging.getLogger(__name__)

ORPHAN_AGE_S = 2 * 24 * 3600
"""A file that no stored call names after two days lost its call's end: nothing says that its
caller consented, or until when it may be kept."""


@dataclass(frozen=True, slots=True)
class Expired:
    recordings: int
    """Of calls whose retention time had passed."""
    unconsented: int
    """Of calls without consent."""
    orphans: int
    """Files that no call names."""


def delete_file(relative: str) -> bool:
    """Delete a recording below the recordings folder; True when there was one.

    A path that leads out of the folder is refused and logged.
    """
    folder = recordings_dir().resolve()
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder) or path == folder:
        log.error("recording path leads out of the recordings folder", extra={"path": relative})
        return False
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def expire_recordings() -> Expired:
    """Delete every recording that may no longer be kept: the file first, then its name."""
    kept = Conversation.objects.exclude(recording="")
    today = timezone.localdate()
    late = [_forget(call, had_consent=True) for call in kept.filter(retain_until__lt=today)]
    unconsented = [
        _forget(call, had_consent=False)
        for call in Conversation.objects.exclude(recording="").filter(recording_consent=False)
    ]
    orphans = _delete_orphans()
    if late or unconsented or orphans:
        log.info(
            "recordings deleted: %d expired, %d without consent, %d without a call",
            len(late), len(unconsented), orphans,
        )  # fmt: skip
    return Expired(recordings=len(late), unconsented=len(unconsented), orphans=orphans)


@transaction.atomic
def _forget(call: Conversation, *, had_consent: bool) -> None:
    delete_file(call.recording)
    # A length without a file tells pages that there was a recording and that its time is over.
    Conversation.objects.filter(pk=call.pk).update(
        recording="", recording_ms=call.recording_ms if had_consent else 0
    )


def _delete_orphans() -> int:
    folder = recordings_dir()
    if not folder.is_dir():
        return 0
    old = time.time() - ORPHAN_AGE_S
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*.wav")
        if path.is_file() and path.stat().st_mtime < old
    }
    named = set(Conversation.objects.filter(recording__in=files).values_list("recording", flat=True))
    for name in files.keys() - named:
        delete_file(name)
    return len(files.keys() - named)
