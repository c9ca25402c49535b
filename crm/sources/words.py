"""Dates and times as a person says them, in English and Hindi."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

DEFAULT_ZONE = ZoneInfo("Asia/Kolkata")

_DAYS_HI = ("सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार")
_MONTHS_HI = (
    "जनवरी",
    "फ़रवरी",
    "मार्च",
    "अप्रैल",
    "मई",
    "जून",
    "जुलाई",
    "अगस्त",
    "सितंबर",
    "अक्टूबर",
    "नवंबर",
    "दिसंबर",
)


def zone_of(now: datetime | None) -> tzinfo:
    """The caller's zone; the desk's own when none is known."""
    return (now.tzinfo if now else None) or DEFAULT_ZONE


def day(at: datetime, language: str) -> str:
    """`Saturday 5 December`, `शनिवार 5 दिसंबर`."""
    if language == "hi":
        return f"{_DAYS_HI[at.weekday()]} {at.day} {_MONTHS_HI[at.month - 1]}"
    return f"{at:%A} {at.day} {at:%B}"


def time_of_day(at: datetime, language: str) -> str:
    """`4 PM`, `10:30 AM`, `शाम 4 बजे`."""
    hour = at.hour % 12 or 12
    minutes = f":{at.minute:02d}" if at.minute else ""
    if language == "hi":
        part = "सुबह" if at.hour < 12 else "दोपहर" if at.hour < 16 else "शाम" if at.hour < 20 else "रात"
        return f"{part} {hour}{minutes} बजे"
    return f"{hour}{minutes} {'AM' if at.hour < 12 else 'PM'}"


def past_day(at: datetime, now: datetime, language: str) -> str:
    """`today`, `yesterday`, else the date: `on 12 November`. Both in the same zone."""
    days = (now.date() - at.date()).days
    if days in (0, 1):
        return {"en": ("today", "yesterday"), "hi": ("आज", "कल")}["hi" if language == "hi" else "en"][days]
    if language == "hi":
        return f"{at.day} {_MONTHS_HI[at.month - 1]} को"
    return f"on {at.day} {at:%B}"
