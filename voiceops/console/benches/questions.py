"""What the callers of the turn bench say, and what a right answer must hold.

Every value asked for is one of the demo data (`knowledge.demo`, `crm.demo`); tests hold them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["fact", "flow", "social"]

_UNITS = (("crore", 10_000_000), ("lakh", 100_000), ("million", 1_000_000))
_NUMBERS = {
    1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine",
    10: "ten", 11: "eleven", 12: "twelve", 14: "fourteen", 15: "fifteen", 18: "eighteen", 20: "twenty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One thing a caller says."""

    text: str
    expects: tuple[str, ...]
    """Regular expressions, any case; a right answer matches each of them."""
    kind: Kind = "fact"
    """fact: a value of the records; flow: a step of a booking; social: manners."""

    def right(self, answer: str) -> bool:
        """Whether `answer`, as it was spoken, holds what was asked for."""
        return all(re.search(pattern, answer, re.IGNORECASE) for pattern in self.expects)


@dataclass(frozen=True, slots=True)
class Conversation:
    pii_from: str
    lines: tuple[Line, ...]


def money(amount_inr: int) -> str:
    """A pattern for an amount however it is written: ₹1.2 crore, 120 lakh, ₹1,20,00,000, 12 million."""
    ways = [",?".join(str(amount_inr))]
    for word, size in _UNITS:
        if amount_inr * 100 % size == 0:
            whole, hundredths = divmod(amount_inr * 100 // size, 100)
            decimals = f"{hundredths:02}".rstrip("0")
            ways.append(rf"{whole}{rf'[.]{decimals}0*' if decimals else '(?:[.]0+)?'} {word}s?")
    crores, rest = divmod(amount_inr, 10_000_000)
    if crores and rest and rest % 100_000 == 0:
        ways.append(rf"{crores} crores? (?:and )?{rest // 100_000} lakhs?")
    return r"(?<![\d.])(?:" + "|".join(ways) + r")(?![\d,]*\d)"


def count(number: int) -> str:
    """A pattern for a small number, in digits or as a word."""
    return rf"\b(?:{number}|{_NUMBERS.get(number, number)})\b(?!\s?BHK|[.,]\d)"


def _price(text: str, amount_inr: int) -> Line:
    return Line(text, (money(amount_inr),))


def _left(text: str, number: int) -> Line:
    return Line(text, (count(number),))


def _told(text: str, *expects: str) -> Line:
    return Line(text, expects)


def _step(text: str, *expects: str) -> Line:
    return Line(text, expects, "flow")


HELLO = Line("Hello, good morning.", (r"hello|good morning|help|know",), "social")
THANKS = Line("Thank you very much.", (r"welcome|glad|pleasure|anything else|no problem",), "social")

ASHA, MEERA, ARJUN, FARHAN = "+919800000001", "+919800000005", "+919800000006", "+919800000008"
PRIYA, UNKNOWN = "+919800000003", "+919811111111"
HISTORIES: dict[str, str] = {
    ASHA: "Yesterday the caller was quoted an EMI of ₹83,311 a month for the 3BHK at Lakeview Residency.",
    MEERA: "The caller was quoted an EMI of ₹1,08,223 a month for the 3BHK at Skyline Terraces.",
    ARJUN: "The caller was quoted an EMI of ₹36,293 a month for the 2BHK at Greenwood Park.",
    FARHAN: "The caller was quoted an EMI of ₹1,93,009 a month for the 3BHK at Indira Heights.",
}
"""What a peer is told of a caller; the platform looks it up."""

CONVERSATIONS: tuple[Conversation, ...] = (
    Conversation(
        ASHA,
        (
            _price("What is the price of a three bedroom flat in Whitefield?", 12_000_000),
            _price("And how much is the two bedroom?", 8_500_000),
            _left("How many of them are still available?", 9),
            _told("When is possession?", "December 2027"),
            _told("What was the E M I amount you quoted me yesterday?", money(83_311)),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            HELLO,
            _price("How much is a two bedroom flat in Sarjapur?", 6_800_000),
            _price("And what about the three bedroom?", 9_400_000),
            _left("How many three bedroom flats are left there?", 8),
            _told("What amenities does Palm Grove have?", "jogging|badminton|garden"),
            _told("Are pets allowed?", r"\byes\b|allowed|two dogs"),
        ),
    ),
    Conversation(
        MEERA,
        (
            _price("What is the price of a three bedroom flat in Hebbal?", 16_800_000),
            _told("How far is it from the airport?", r"\b(?:30|thirty)\b"),
            _told("When will the flats be ready?", "March 2027"),
            _told("Is there a swimming pool?", r"pool"),
            _told("What is your cancellation policy?", r"15 days|50,?000|5 percent"),
            THANKS,
        ),
    ),
    Conversation(
        ARJUN,
        (
            _price("What does a two bedroom flat in Electronic City cost?", 5_900_000),
            _left("How many are available?", 18),
            _told("How long is the token amount refundable?", r"15 days"),
            _told("How much is the token amount?", money(200_000)),
            _told("Do you help with home loans?", r"loan desk|SBI|HDFC|free of charge|\byes\b"),
            _told("Is the project registered with RERA?", r"RERA"),
        ),
    ),
    Conversation(
        ASHA,
        (
            _step(
                "I would like to book a site visit at Lakeview Residency.", r"day|when|time|slot|\b[AP]M\b"
            ),
            _step("Tomorrow morning please.", r"\b[AP]M\b|\d\d?:\d\d|o'clock"),
            _step("The first one.", r"shall I|confirm|book|right"),
            _step("Yes please.", r"book|confirmed|see you"),
            _told("Do you arrange transport for the visit?", r"cab|pick-?up"),
            THANKS,
        ),
    ),
    Conversation(
        FARHAN,
        (
            _told("Can a non resident Indian buy a flat?", r"NRE|NRI|without special|OCI|\byes\b"),
            _price("What is the price of a three bedroom flat in Indiranagar?", 24_500_000),
            _price("How much is the four bedroom there?", 34_000_000),
            _left("How many three bedroom flats are available in Indiranagar?", 3),
            _told("Is it ready to move in?", r"ready"),
            _told("What E M I did you quote me?", money(193_009)),
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _told("How much is the monthly maintenance?", r"₹?4 (?:per|a) square|4,?600"),
            _told("How much is the stamp duty and registration?", r"\b5 percent|5%"),
            _told("Do you charge brokerage?", r"\bno\b"),
            _told("What happens if possession is delayed?", r"10\.25|interest"),
            _told("What documents do I need to buy a flat?", r"PAN|Aadhaar"),
            THANKS,
        ),
    ),
    Conversation(
        PRIYA,
        (
            HELLO,
            _price("What is the price of a two bedroom flat in H S R Layout?", 12_500_000),
            _left("How many are left?", 6),
            _told("Can I keep a dog?", r"\byes\b|allowed|two dogs"),
            _told("What facilities are there at Maple Court?", r"squash|gym|pet park"),
            _told("When can I move in?", "August 2027"),
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("Tell me the price of a two bedroom flat in Yelahanka.", 7_200_000),
            _price("What about the four bedroom?", 13_500_000),
            _left("How many four bedroom flats do you have there?", 4),
            _told("When is possession of Sunrise Enclave?", "January 2028"),
            _told("What are the payment terms?", r"10 percent|10%|stages"),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("How much does a two bedroom flat in Koramangala cost?", 14_500_000),
            _left("How many are still available?", 4),
            _told("Is Silver Oak ready to move in?", r"ready"),
            _told("Is car parking included?", r"one covered|two|comes with|car park"),
            _told("How much is an extra car park?", money(400_000)),
            _told("Do you keep recordings of calls?", r"90 days|recorded"),
        ),
    ),
    Conversation(
        MEERA,
        (
            _told("What was the E M I you quoted me?", money(108_223)),
            _price("How much is a two bedroom flat in Hebbal?", 11_500_000),
            _left("Are there any left?", 7),
            _told("What amenities are there at Skyline Terraces?", r"infinity pool|gym|lounge|tennis"),
            _told("How much G S T do I pay on a flat under construction?", r"\b5 percent|5%"),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("What is the price of a one bedroom flat in Sarjapur?", 4_200_000),
            _left("How many one bedroom flats do you have there?", 12),
            _told("Which schools are nearby?", r"Oakridge|three schools"),
            _told("When is possession of Palm Grove?", "June 2028"),
            _step("Please arrange a site visit at Palm Grove.", r"day|when|time|slot|\b[AP]M\b"),
            _step("Saturday afternoon.", r"\b[AP]M\b|\d\d?:\d\d|o'clock"),
        ),
    ),
    Conversation(
        ARJUN,
        (
            _told("What is my E M I?", money(36_293)),
            _price("How much is the three bedroom in Electronic City?", 7_900_000),
            _told("How far is Greenwood Park from the metro?", r"one kilomet|1 kilomet"),
            _told("What amenities does Greenwood Park have?", r"cycling|amphitheatre|day-care|supermarket"),
            _told("If I cancel, do I get my money back?", r"15 days|refunded in full|50,?000"),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            HELLO,
            _price("What is the price of a three bedroom flat in Yelahanka?", 9_900_000),
            _left("How many of those are available?", 10),
            _told("How far is Sunrise Enclave from the airport?", r"25|twenty-?five"),
            _told("Do you send a cab for site visits?", r"cab|pick-?up|\byes\b"),
            _told("How long does a home loan sanction take?", r"seven|\b7\b"),
        ),
    ),
    Conversation(
        ASHA,
        (
            _told("What amenities are there at Lakeview Residency?", r"lake|pool|gym|clubhouse"),
            _told("Where exactly is Lakeview Residency?", r"Channasandra|Whitefield|metro"),
            _price("How much is the two bedroom there?", 8_500_000),
            _left("How many three bedroom flats are left in Whitefield?", 6),
            _told("Is the token amount refundable?", r"15 days|refunded"),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("What is the price of a three bedroom flat in H S R Layout?", 17_500_000),
            _left("How many do you have?", 5),
            _told(
                "Can a relative complete the purchase for me with a power of attorney?", r"power of attorney"
            ),
            _told("How is the token paid?", r"transfer|UPI|cheque|card"),
            _told("How long does a site visit take?", r"one hour|1 hour|an hour"),
            _told("Is a site visit free?", r"free"),
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("How much is a four bedroom flat in Hebbal?", 23_000_000),
            _left("Is it still available?", 1),
            _price("And the four bedroom in Indiranagar?", 34_000_000),
            _left("How many of those are left?", 2),
            _told("Where is Indira Heights?", r"100 Feet Road|Indiranagar|metro"),
            THANKS,
        ),
    ),
    Conversation(
        UNKNOWN,
        (
            _price("What does a one bedroom flat in Electronic City cost?", 3_800_000),
            _left("How many are available there?", 20),
            _told("What is the interest rate on a home loan?", r"8\.5"),
            _told("How much of the price do banks lend?", r"80 percent|80%"),
            _step("I want to come and see Greenwood Park.", r"day|when|time|slot|\b[AP]M\b"),
            _step("Tomorrow at eleven.", r"\b[AP]M\b|\d\d?:\d\d|o'clock"),
        ),
    ),
)
