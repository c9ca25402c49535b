"""Scripts of the demo's past calls: who calls, in which way, and what they say.

Outcomes are not written here; they come from running the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DemoCall:
    name: str
    says: tuple[str, ...]
    channel: Literal["twilio", "browser"] = "twilio"
    """twilio: spoken by a synthesised caller over the carrier socket; browser: typed."""
    pii_caller: str = ""
    hang_up_early: bool = False
    """The caller is gone while the agent still answers."""


ASHA = "+919800000001"

DEMO_CALLS: tuple[DemoCall, ...] = (
    DemoCall(
        "price", ("What is the price of a three bedroom flat in Whitefield?",), pii_caller="+919811100001"
    ),
    DemoCall(
        "emi", ("What was the EMI amount you quoted me yesterday?", "Thank you, goodbye."), pii_caller=ASHA
    ),
    DemoCall(
        "booking",
        (
            "I would like to book a site visit at Lakeview Residency.",
            "Tomorrow morning please.",
            "The first one is fine.",
            "Yes please.",
        ),
        pii_caller=ASHA,
    ),
    DemoCall(
        "availability",
        ("How many three bedroom flats are available in Whitefield?",),
        pii_caller="+919811100002",
    ),
    DemoCall("hindi-price", ("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?", "धन्यवाद"), channel="browser"),
    DemoCall("policy", ("What is your cancellation policy?",), pii_caller="+919811100003"),
    DemoCall("handover", ("Can I speak to a real person please?",), pii_caller="+919811100004"),
    DemoCall(
        "price-follow-up",
        ("How much is a two bedroom flat in Whitefield?", "And the three bedroom?", "Thanks, bye."),
        pii_caller="+919811100005",
    ),
    DemoCall("off-topic", ("Who won the cricket match last night?",), pii_caller="+919811100006"),
    DemoCall("early-hang-up", ("What is the price of a three bedroom flat in Hebbal?",), hang_up_early=True),
    DemoCall("wrong-number", ("Sorry, wrong number. Goodbye.",), pii_caller="+919811100007"),
    DemoCall("typed-price", ("price of 3BHK in Indiranagar?", "thanks"), channel="browser"),
    DemoCall("possession", ("When is possession for Lakeview Residency?",), pii_caller="+919811100008"),
    DemoCall("hindi-visit", ("मुझे साइट विज़िट बुक करनी है", "लेकव्यू रेजीडेंसी", "कल सुबह"), channel="browser"),
    DemoCall("silent", (), pii_caller="+919811100009", hang_up_early=True),
    DemoCall("amenities", ("What amenities are there at Lakeview Residency?",), pii_caller="+919811100010"),
    DemoCall("refund", ("Is the token amount refundable?", "Okay, thank you."), pii_caller="+919811100011"),
    DemoCall(
        "sarjapur", ("What is the price of a two bedroom flat in Sarjapur?",), pii_caller="+919811100012"
    ),
    DemoCall(
        "booking-changed-mind",
        ("I want to book a site visit in Whitefield.", "Actually no, cancel that please."),
        pii_caller="+919811100013",
    ),
    DemoCall("loan", ("Do you help with home loans?",), pii_caller="+919811100014"),
    DemoCall("typed-pets", ("Are pets allowed?",), channel="browser"),
    DemoCall("hinglish", ("3BHK ka price kitna hai Whitefield mein?",), channel="browser"),
    DemoCall("handover-2", ("I am not happy, connect me to your manager.",), pii_caller="+919811100015"),
    DemoCall("parking", ("Is car parking included in the price?",), pii_caller="+919811100016"),
    DemoCall(
        "typed-booking",
        ("book a site visit at Lakeview Residency", "day after tomorrow", "the first one", "yes"),
        channel="browser",
    ),
    DemoCall("stamp-duty", ("How much is the stamp duty and registration?",), pii_caller="+919811100017"),
    DemoCall("emi-unknown", ("What was my EMI amount?",), pii_caller="+919811100018"),
    DemoCall(
        "early-hang-up-2", ("Tell me about your flats.",), pii_caller="+919811100019", hang_up_early=True
    ),
    DemoCall(
        "interrupting", ("Hello, good morning.", "What is the price in Hebbal?"), pii_caller="+919811100020"
    ),
    DemoCall("goodbye", ("Thank you, that is all. Goodbye.",), pii_caller="+919811100021"),
)
