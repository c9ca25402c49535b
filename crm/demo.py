"""The demo's customers and visit slots, relative to the day they are seeded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

LAKEVIEW = ("lakeview-residency", "Lakeview Residency")
SLOT_PROJECTS: tuple[tuple[str, str], ...] = (
    LAKEVIEW,
    ("palm-grove", "Palm Grove"),
    ("indira-heights", "Indira Heights"),
    ("skyline-terraces", "Skyline Terraces"),
    ("greenwood-park", "Greenwood Park"),
    ("silver-oak", "Silver Oak"),
    ("sunrise-enclave", "Sunrise Enclave"),
    ("maple-court", "Maple Court"),
)
SLOT_HOURS = range(10, 18)
"""Each visit takes an hour; the last one ends at 18:00 local time."""
SLOT_DAYS = 14
ANNUAL_RATE_PERCENT = 8.5


@dataclass(frozen=True, slots=True)
class Said:
    days_ago: int
    kind: str
    summary: str
    summary_hi: str


@dataclass(frozen=True, slots=True)
class Quoted:
    days_ago: int
    project: tuple[str, str]
    property_type: str
    price_inr: int
    tenure_months: int = 240
    at: time = time(16, 30)


@dataclass(frozen=True, slots=True)
class Person:
    phone: str
    name: str
    language: str
    email: str = ""
    said: tuple[Said, ...] = ()
    quoted: tuple[Quoted, ...] = ()


PEOPLE: tuple[Person, ...] = (
    Person(
        "+919800000001", "Asha Rao", "en", "asha.rao@example.com",
        (
            Said(1, "call", "Asked for the EMI of the 3BHK in Lakeview Residency over 20 years.",
                 "लेकव्यू रेज़िडेंसी के 3BHK की 20 साल की ईएमआई पूछी।"),
            Said(6, "visit", "Visited Lakeview Residency with her parents and liked the lake side.",
                 "माता-पिता के साथ लेकव्यू रेज़िडेंसी देखी और झील की तरफ़ वाले फ़्लैट पसंद आए।"),
        ),
        (Quoted(1, LAKEVIEW, "3BHK", 12_000_000), Quoted(9, LAKEVIEW, "2BHK", 8_500_000)),
    ),
    Person(
        "+919800000002", "Rahul Sharma", "hi", "rahul.sharma@example.com",
        (
            Said(1, "call", "Asked for the EMI of a 2BHK in Palm Grove and for the cheapest loan.",
                 "पाम ग्रोव के 2BHK की ईएमआई और सबसे सस्ते लोन के बारे में पूछा।"),
            Said(4, "message", "Was sent the brochure of Palm Grove.", "पाम ग्रोव का ब्रोशर भेजा गया।"),
        ),
        (Quoted(1, ("palm-grove", "Palm Grove"), "2BHK", 6_800_000),),
    ),
    Person(
        "+919800000003", "Priya Nair", "en", "priya.nair@example.com",
        (Said(3, "call", "Asked whether pets are allowed in Maple Court; has a labrador.",
              "पूछा कि मेपल कोर्ट में पालतू जानवर रख सकते हैं या नहीं।"),),
        (Quoted(12, ("maple-court", "Maple Court"), "3BHK", 17_500_000),),
    ),
    Person(
        "+919800000004", "Vikram Singh", "hi", "",
        (Said(2, "call", "Wants a flat that is ready to move in, in Koramangala or Indiranagar.",
              "कोरमंगला या इंदिरानगर में तैयार फ़्लैट चाहिए।"),),
    ),
    Person(
        "+919800000005", "Meera Iyer", "en", "meera.iyer@example.com",
        (
            Said(5, "call", "Compared Skyline Terraces with Sunrise Enclave for the way to the airport.",
                 "हवाई अड्डे के रास्ते के लिए स्काईलाइन टेरेसेज़ और सनराइज़ एन्क्लेव की तुलना की।"),
            Said(20, "email", "Asked for the RERA number of Skyline Terraces.",
                 "स्काईलाइन टेरेसेज़ का रेरा नंबर पूछा।"),
        ),
        (Quoted(5, ("skyline-terraces", "Skyline Terraces"), "3BHK", 16_800_000, 300),),
    ),
    Person(
        "+919800000006", "Arjun Reddy", "en", "",
        (Said(8, "call", "Works in Electronic City and looks for a first home below ₹60 lakh.",
              "इलेक्ट्रॉनिक सिटी में काम करते हैं और ₹60 लाख से कम का पहला घर खोज रहे हैं।"),),
        (Quoted(8, ("greenwood-park", "Greenwood Park"), "2BHK", 5_900_000, 360),),
    ),
    Person(
        "+919800000007", "Sunita Verma", "hi", "",
        (Said(10, "call", "Asked how a booking is cancelled and what is refunded.",
              "बुकिंग रद्द करने और रिफ़ंड के बारे में पूछा।"),),
    ),
    Person(
        "+919800000008", "Farhan Khan", "en", "farhan.khan@example.com",
        (Said(15, "email", "Lives in Dubai; asked about buying as an NRI through his brother.",
              "दुबई में रहते हैं; भाई के ज़रिए एनआरआई के रूप में खरीदने के बारे में पूछा।"),),
        (Quoted(14, ("indira-heights", "Indira Heights"), "3BHK", 24_500_000, 180),),
    ),
    Person(
        "+919800000009", "Lakshmi Menon", "en", "",
        (Said(7, "visit", "Visited Sunrise Enclave; asked for a ground-floor flat for her mother.",
              "सनराइज़ एन्क्लेव देखा; माँ के लिए भूतल का फ़्लैट चाहिए।"),),
    ),
    Person("+919800000010", "Deepak Gupta", "hi"),
)  # fmt: skip
