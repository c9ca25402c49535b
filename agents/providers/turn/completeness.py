"""Whether words sound finished: English, Hindi in both scripts, and the mix of them.

Rules over the end of the transcript. A recogniser ends nearly everything with a full stop, so
punctuation counts for little and the last words for most.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agents.providers.turn.dictation import dictation
from agents.providers.turn.hesitation import hesitation
from agents.providers.turn.number_tail import ends_in_number, ends_in_scale
from voiceops.core.ports import Expecting

Reading = tuple[float, str]
"""(completeness 0 to 1, reason)"""

_WORD = re.compile(r"[\w\u0900-\u097f'-]+")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPEN = _words(
    """
    and or but so because if when while that which who whose than as since unless until
    to of for in on at with from by about between under near around into over per within without towards
    the a an my your his her our their its any some every each
    i i'm we we're he she they i'll i'd i've you're
    is are was were am be been will would could should can may might shall do does did has have had
    want need looking searching wants interested please-tell like give get find show
    not very more another
    aur ya lekin magar par kyunki kyonki agar jab toh to ki ke ka ko se mein tak wala wali wale
    mera meri mere apna apni hamara mujhe mujhko main hum aap yeh woh jo matlab
    और या लेकिन मगर पर क्योंकि अगर जब तो कि की के का को से में तक ने वाला वाली वाले
    मेरा मेरी मेरे अपना अपनी हमारा मुझे मैं हम आप यह ये वह वो जो मतलब
    """
)
"""Words that seldom end what somebody says: conjunctions, prepositions, articles, bare subjects."""
FILLERS = _words("um uh umm uhh er erm hmm mm eh ah like actually basically well उम उम्म अअ आआ अं")
CLOSED_IN_QUESTIONS = _words("to of for in on at with from by about near around is are do it like interested")
"""In "what is it for?" they end the sentence."""
CRORES = _words("crore crores cr million करोड़")
""" "One crore" may go on with "twenty lakh"; after "lakh" little follows."""
BE = _words("is are was were am will would can could do does did have has")
ASKING = _words("what where when how who which why whether")
OPEN_PAIRS = frozenset(
    """
    my name|my number|my phone|my budget|my address|my email|my mobile|the number|number is|name is
    mera naam|mera number|mera budget|mera pata|मेरा नाम|मेरा नंबर|मेरा बजट|मेरा पता
    can you|could you|would you|will you|do you|if you|are you|tell me|let me|kya aap|क्या आप
    looking at|kind of|sort of|such as|even though|as well|bata dijiye ki|in the|of the
    """.replace("\n", "|")
    .replace("    ", "")
    .split("|")
)
HOLD_ON = re.compile(
    r"(hold on|wait|one (sec|second|minute|moment)|just a (sec|second|minute|moment)"
    r"|let me (see|check|think|look)|give me a (second|minute|moment)"
    r"|ek (minute|second|min)|rukiye|ruko|zara rukiye|एक (मिनट|सेकंड|मिनिट)|रुकिए|रुको|ज़रा रुकिए)\W*$"
)
WHOLE = frozenset(
    """
    yes|yeah|yep|yup|no|nope|nah|okay|ok|sure|right|correct|exactly|absolutely|definitely|maybe
    hello|hi|hey|bye|goodbye|bye bye|thanks|thank you|thank you so much|thank you very much|please
    yes please|no thanks|no thank you|of course|that's right|that's correct|that's fine|that is fine
    that's it|that's all|sounds good|go ahead|why not|i do|i don't|i am|it is|i don't know|not really
    not sure|what|why|when|where|how|who|which one|pardon|sorry|excuse me|i see|got it|both
    haan|haan ji|haanji|han|ji|ji haan|nahi|nahin|ji nahi|theek hai|thik hai|theek|achha|accha|acha
    bilkul|sahi|sahi hai|namaste|dhanyavaad|shukriya|kya|kyun|kab|kahan|bas|bas itna hi
    हाँ|हां|हाँ जी|हां जी|जी|जी हाँ|जी हां|नहीं|जी नहीं|ठीक|ठीक है|अच्छा|बिल्कुल|सही|सही है
    नमस्ते|धन्यवाद|शुक्रिया|क्या|क्यों|कब|कहाँ|बस|बस इतना ही
    """.replace("\n", "|")
    .replace("    ", "")
    .split("|")
)
"""Short answers that need nothing after them."""
HINDI_ENDS = _words(
    """
    hai hain hoon hun tha thi the ho hoga hogi honge raha rahi rahe gaya gayi gaye
    chahiye chahie karo kijiye kijie dijiye dijie bataiye bataye batao bolo boliye sakta sakti sakte
    karna karni chahta chahti chahte karunga karungi lenge dena na
    है हैं हूँ हूं था थी थे हो होगा होगी होंगे रहा रही रहे गया गई गए
    चाहिए करो कीजिए कीजिये दीजिए दीजिये बताइए बताइये बताओ बोलिए सकता सकती सकते
    करना करनी चाहता चाहती चाहते करूँगा करूँगी लेंगे देना ना न
    """
)
"""Verbs end a Hindi sentence."""
HINDI_SIGNS = _words(
    "hai hain mujhe mera meri mere kya aur ka ki ke ko mein se chahiye nahi nahin haan ghar kitna kitne wala"
)
_FOLLOW_UP = re.compile(r"(and (the|for|in|what about)|what about|how about|or the|aur)\b")
FOLLOW_UP_WORDS = 6
""" "And the three bedroom?" often sounds open to a recogniser, which then writes "..."."""
_BACKCHANNEL = _words(
    """
    hmm hm mm mmm mhm mmhm mm-hmm mm-hm uh-huh uhuh uh huh um er ah oh aha okay ok k yeah yep yes yup
    right sure alright fine good great nice cool i see got it all thank you thanks
    haan han haa ha ji achha accha acha theek thik hai sahi bilkul hanji haanji
    हाँ हां हा जी अच्छा ठीक है सही बिल्कुल हम्म हम हूँ हूं हम्
    """
)
BACKCHANNEL_WORDS = 4


def is_backchannel(text: str) -> bool:
    """Whether these words only say "I am listening": no words at all do not."""
    words = _WORD.findall(text.lower().replace("’", "'"))
    return 0 < len(words) <= BACKCHANNEL_WORDS and all(word in _BACKCHANNEL for word in words)


@lru_cache(maxsize=2048)
def read(text: str, expecting: Expecting = "") -> Reading:
    """How finished `text` sounds as an answer to what was asked."""
    lower = text.strip().lower().replace("’", "'")
    words = [word.strip("-'") for word in _WORD.findall(lower) if word.strip("-'")]
    if not words:
        return 0.4, "incomplete"
    told = dictation(lower, expecting)
    if told is not None:
        return told
    if HOLD_ON.search(lower):
        return 0.1, "incomplete"
    hesitates = hesitation(lower, words)
    if hesitates is not None:
        return hesitates
    if " ".join(words) in WHOLE:
        return (1.0 if expecting == "yes_no" else 0.92), "complete"
    if lower.endswith(("...", "…", "-", "–", "—", ",")):
        if lower.endswith((".", "…")) and _FOLLOW_UP.match(lower) and _is_named(words):
            return 0.6, "complete"
        return 0.2, "incomplete"
    score = _by_words(words, lower, expecting)
    return score, "complete" if score >= 0.6 else "incomplete"


def _by_words(words: list[str], lower: str, expecting: Expecting) -> float:
    last, asks = words[-1], lower.endswith("?")
    if last in FILLERS and len(words) > 1 and not (asks and last == "like"):
        return 0.1
    if last in FILLERS:
        return 0.3
    if last in OPEN or " ".join(words[-2:]) in OPEN_PAIRS:
        return _open_end(words, asks)
    if asks:
        return 0.97
    if ends_in_number(words):
        return _number_end(words, expecting)
    if ends_in_scale(words):
        return 0.6 if words[-1] in CRORES else 0.85
    if expecting and (told := _as_answer(words, expecting)) is not None:
        return told
    if _is_hindi(words, lower):
        return 0.95 if last in HINDI_ENDS else 0.6
    if lower.endswith((".", "!", "।")):
        return 0.9 if len(words) >= 3 else 0.62
    return 0.75 if len(words) >= 4 else 0.55


def _is_named(words: list[str]) -> bool:
    """Whether a short follow-up ends in what it is about."""
    return 3 <= len(words) <= FOLLOW_UP_WORDS and words[-1] not in OPEN | FILLERS


def _open_end(words: list[str], asks: bool) -> float:
    last = words[-1]
    asking = words[0] in ASKING or any(word in ASKING for word in words[:-2])
    if asks and (last in CLOSED_IN_QUESTIONS or _DEVANAGARI.search(last)):
        return 0.85
    if last in HINDI_ENDS and len(words) >= 3 and any(word in HINDI_SIGNS for word in words[:-1]):
        return 0.7  # "the" and "to" are English and Hindi
    if last in BE and asking and len(words) >= 4:
        return 0.75  # "tell me what the price is"
    if last in BE and words[-2:-1] in (["it"], ["that"], ["they"], ["i"], ["there"]):
        return 0.7  # "yes it is"
    return 0.12 if not asks else 0.4


def _number_end(words: list[str], expecting: Expecting) -> float:
    """ "My budget is eighty" goes on with lakh; "at five" does not."""
    if expecting in ("date", "choice", "yes_no"):
        return 0.8
    if len(words) > 1 and words[-2] in ("at", "number", "option", "the", "baje"):
        return 0.85
    return 0.55 if len(words) == 1 else 0.32


def _as_answer(words: list[str], expecting: Expecting) -> float | None:
    match expecting:
        case "yes_no":
            return 0.9 if words[0] in WHOLE else None
        case "choice":
            return 0.88
        case "date":
            return 0.66 if len(words) <= 2 else 0.88
        case "name":
            return 0.66 if len(words) == 1 else 0.88
    return None


def _is_hindi(words: list[str], lower: str) -> bool:
    return bool(_DEVANAGARI.search(lower)) or sum(word in HINDI_SIGNS for word in words) >= 2
