"""What the demo's property desk knows: projects, flats, articles and policies of Bangalore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEXTS = Path(__file__).parent / "demo_texts"
"""`<kind>/<slug>.<language>.md`, the title in the first line; each paragraph answers one question
in its first sentence."""

LISTING_FIELDS = ("property_type", "price_inr", "area_sqft", "units_available")

PROJECTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "lakeview-residency",
        "name": "Lakeview Residency",
        "name_hi": "लेकव्यू रेज़िडेंसी",
        "locality": "Whitefield",
        "locality_hi": "व्हाइटफ़ील्ड",
        "address": "Channasandra Main Road, Whitefield, Bangalore 560066",
        "possession": "December 2027",
        "amenities": ["lake promenade", "swimming pool", "gym", "clubhouse", "children's play area"],
        "listings": (("2BHK", 8_500_000, 1150, 9), ("3BHK", 12_000_000, 1620, 6)),
    },
    {
        "slug": "palm-grove",
        "name": "Palm Grove",
        "name_hi": "पाम ग्रोव",
        "locality": "Sarjapur",
        "locality_hi": "सरजापुर",
        "address": "Sarjapur Main Road, Bangalore 562125",
        "possession": "June 2028",
        "amenities": ["jogging track", "badminton court", "community hall", "organic garden"],
        "listings": (
            ("1BHK", 4_200_000, 640, 12),
            ("2BHK", 6_800_000, 1080, 15),
            ("3BHK", 9_400_000, 1480, 8),
        ),
    },
    {
        "slug": "indira-heights",
        "name": "Indira Heights",
        "name_hi": "इंदिरा हाइट्स",
        "locality": "Indiranagar",
        "locality_hi": "इंदिरानगर",
        "address": "100 Feet Road, Indiranagar, Bangalore 560038",
        "possession": "ready to move in",
        "amenities": ["rooftop garden", "gym", "concierge", "electric car charging"],
        "listings": (("3BHK", 24_500_000, 1900, 3), ("4BHK", 34_000_000, 2650, 2)),
    },
    {
        "slug": "skyline-terraces",
        "name": "Skyline Terraces",
        "name_hi": "स्काईलाइन टेरेसेज़",
        "locality": "Hebbal",
        "locality_hi": "हेब्बल",
        "address": "Outer Ring Road, Hebbal, Bangalore 560024",
        "possession": "March 2027",
        "amenities": ["infinity pool", "gym", "co-working lounge", "tennis court"],
        "listings": (
            ("2BHK", 11_500_000, 1250, 7),
            ("3BHK", 16_800_000, 1780, 5),
            ("4BHK", 23_000_000, 2400, 1),
        ),
    },
    {
        "slug": "greenwood-park",
        "name": "Greenwood Park",
        "name_hi": "ग्रीनवुड पार्क",
        "locality": "Electronic City",
        "locality_hi": "इलेक्ट्रॉनिक सिटी",
        "address": "Neeladri Road, Electronic City Phase 1, Bangalore 560100",
        "possession": "September 2027",
        "amenities": ["cycling track", "amphitheatre", "day-care centre", "supermarket"],
        "listings": (
            ("1BHK", 3_800_000, 610, 20),
            ("2BHK", 5_900_000, 1020, 18),
            ("3BHK", 7_900_000, 1390, 11),
        ),
    },
    {
        "slug": "silver-oak",
        "name": "Silver Oak",
        "name_hi": "सिल्वर ओक",
        "locality": "Koramangala",
        "locality_hi": "कोरमंगला",
        "address": "80 Feet Road, Koramangala 4th Block, Bangalore 560034",
        "possession": "ready to move in",
        "amenities": ["gym", "party hall", "solar power", "library"],
        "listings": (("2BHK", 14_500_000, 1280, 4), ("3BHK", 20_500_000, 1750, 0)),
    },
    {
        "slug": "sunrise-enclave",
        "name": "Sunrise Enclave",
        "name_hi": "सनराइज़ एन्क्लेव",
        "locality": "Yelahanka",
        "locality_hi": "येलहंका",
        "address": "Doddaballapur Road, Yelahanka, Bangalore 560064",
        "possession": "January 2028",
        "amenities": ["cricket pitch", "yoga deck", "clubhouse", "senior citizens' park"],
        "listings": (
            ("2BHK", 7_200_000, 1120, 14),
            ("3BHK", 9_900_000, 1510, 10),
            ("4BHK", 13_500_000, 2050, 4),
        ),
    },
    {
        "slug": "maple-court",
        "name": "Maple Court",
        "name_hi": "मेपल कोर्ट",
        "locality": "HSR Layout",
        "locality_hi": "एचएसआर लेआउट",
        "address": "27th Main Road, HSR Layout Sector 2, Bangalore 560102",
        "possession": "August 2027",
        "amenities": ["squash court", "gym", "pet park", "electric car charging"],
        "listings": (("2BHK", 12_500_000, 1210, 6), ("3BHK", 17_500_000, 1680, 5)),
    },
)


def documents() -> list[dict[str, Any]]:
    """Every article and policy as `services.save_document` takes it."""
    found = []
    for file in sorted(TEXTS.glob("*/*.md")):
        stem, language = file.stem.rsplit(".", 1)
        title, _, body = file.read_text(encoding="utf-8").partition("\n")
        found.append(
            {
                "slug": stem if language == "en" else f"{stem}-{language}",
                "title": title.removeprefix("# ").strip(),
                "body": body.strip(),
                "kind": file.parent.name,
                "language": language,
            }
        )
    return found
