"""What the words and the script of one utterance say about its language.

Only words that carry a sentence's grammar count: "kya", "hai", "what", "would". Names, places,
numbers and the English nouns that every caller uses ("flat", "price", "booking") say nothing,
and neither do the small words that people keep in any language ("ok", "haan ji", "thank you").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agents.pipeline.number_words import multiplier, word_value
from voiceops.core.events import LanguageSign

CLEAR = 0.6
"""Strength from which an utterance counts as said in a language."""
MIXED_SHARE = 0.2
"""Share of the other language's grammar above which an utterance is mixed."""

_HINDI_TEXT = """
hai hain hoon hun hu tha thi kya kyaa kyun kyu kyon kaun kaunsa kaunsi kaunse konsa konsi konse kab kahan
kaha kahaan kaise kaisa kaisi kaisey kitna kitne kitni mujhe mujhko mera meri mere hum hame hamein humein
hamara hamari hamare humara humari humare aap aapka aapki aapke aapko aapne aapse tum tumhara mein ka ki
ke ko se ne bhi toh nahi nahin nhi mat haina na abhi kal aaj parso parson subah shaam dopahar raat ghar
makaan makan keemat qeemat kimat daam kist kiraya zameen jagah kamra kamre paisa paise rupaye rupay
rupaiye mahina mahine saal chahiye chahie chaiye chahta chahti chahte batao bataiye bataye batana bata
batai bataya batayi batayen karna karni karne karo karao karwao karwana karunga karungi karenge karte
karta karti karke kijiye kijie kariye kiya kiye raha rahi rahe rahega rahegi hoga hogi honge hota hoti
hote hua hui hue gaya gayi gaye jana jaana jaane jaata jata dekhna dekhne dekh dikhao dikhaiye dikha
dekhni aana aane aaunga aaungi aayega aayegi milega milegi milenge mila mili milna lena lene lenge lunga
lungi liya dena dene denge diya diye dijiye dijie dedo dedijiye bolo boliye bol bolna bolie sunao suniye
suno samajh samajhna samjha samjhi samjhao pata wala wali wale vala vali liye aur lekin magar agar phir
fir ya kyunki kyonki isliye yeh ye woh wo voh isme ismein usme usmein iska iski iske uska uski uske inka
unka inke unke apna apni apne yahan yaha wahan waha vahan idhar udhar kuch kuchh koi sab sabse bahut bohot
zyada jyada kam thoda thodi jaldi sirf zaroor jarur bilkul itna itni itne utna jo jab tab tak sakta sakti
sakte saka paas pehle pehla baad saath wapas vapas kabhi doosra dusra doosri dusri pichli pichle pichla
baat baatein matlab sahi galat naam bhejo bhejiye bhej
"""
_ENGLISH_TEXT = """
what what's how how's when when's where where's which who whose why would could should can can't cannot
will won't shall may might must does doesn't did didn't done don't am i'm i'd i'll i've was wasn't were
weren't been being have haven't has hasn't had having i you you're you'll you've your yours my mine we
we're we'd we'll our he she they they're them their his her it it's its this that that's these those there
there's here a an of for with without from at by about into and or if because than then any some much many
more most other another each every not nothing something anything somebody anybody someone anyone tell
show give know want wanted need looking like let get got make made say said come came see also just still
really very too going again between under over after before until since while though let's isn't aren't
i'am speak send help explain understand
"""
_EITHER_TEXT = (
    "the to me is in us are so hi do he main par per be but on as all one or up by no log bas din man"
)
"""Words of both languages; they follow the clear ones around them."""
_DEVANAGARI_HINDI_TEXT = """ है हैं हूँ हूं हो था थी थे क्या क्यों कौन कौनसा कौनसी कब कहाँ कहां कैसे कैसा
कैसी कितना कितने कितनी मुझे मुझको मेरा मेरी मेरे हम हमें हमारा हमारी हमारे आप आपका आपकी आपके आपको आपने
आपसे तुम में मैं का की के को से ने भी तो नहीं मत ना पर और या लेकिन मगर अगर फिर अभी कल आज परसों सुबह शाम
दोपहर रात यह ये वह वो इस उस इन उन इसका इसकी इसके उसका उसकी उसके इसमें उसमें अपना अपनी अपने यहाँ यहां वहाँ
वहां कुछ कोई सब सबसे बहुत ज़्यादा ज्यादा कम थोड़ा थोड़ी जल्दी सिर्फ़ सिर्फ ज़रूर जरूर बिल्कुल इतना इतनी जो
जब तक चाहिए चाहता चाहती चाहते बताओ बताइए बताइये बताएँ बताएं बताना बता बताई बताया करना करनी करने करो कर
कराइए करवाओ करूँगा करूँगी करेंगे करते करता करती किया कीजिए रहा रही रहे होगा होगी होंगे होता होती होते हुआ
हुई गया गई जाना जाने देखना देखने देखनी दिखाओ दिखाइए आना आने मिलेगा मिलेगी मिलेंगे मिला लेना लेने लूँगा
देना दीजिए दे दो बोलो बोलिए सुनाओ सुनिए समझ पता वाला वाली वाले लिए सकता सकती सकते पास पहले बाद साथ वापस
बात मतलब पिछली पिछले घर कीमत क़ीमत दाम
"""
_DEVANAGARI_ENGLISH_TEXT = """
व्हाट वॉट वट इज़ इज द दि हाउ हाऊ मच मेनी ऑफ ऑफ़ आई आय वांट वॉन्ट वांटेड यू योर माय माई कैन कुड वुड विल शैल
टेल अबाउट एंड ऐंड व्हेन वेन वेयर व्हेयर व्हिच विच देयर दैट दिस हैव हैज़ आर वाज़ डज़ डू गिव शो लाइक फॉर
फ़ॉर विद फ्रॉम नीड लुकिंग इट एनी सम वी बट शुड मे हेल्प नो ए
"""
_SMALL_TEXT = """
ok okay okey k hello helo hullo hey hi hii haan han haa haanji hanji hmm hm mm mhm uh um ah oh ji jee yes
yeah yep yup no nope right alright fine sure correct good great nice cool perfect wow thanks thank welcome
sorry please pls bye goodbye namaste namaskar namasthe dhanyavaad dhanyawad dhanyavad shukriya theek thik
teek achha accha acha acchha arre arey madam sir maam ma'am bhai bhaiya actually basically maximum minimum
only around exactly हाँ हां हा हान जी ठीक अच्छा नमस्ते नमस्कार धन्यवाद शुक्रिया हेलो हैलो हाय ओके थैंक्यू
थैंक्स सॉरी प्लीज़ प्लीज बाय अरे यस नो सर मैडम
"""
_GREETINGS_TEXT = (
    "namaste namaskar namasthe dhanyavaad dhanyawad dhanyavad shukriya नमस्ते नमस्कार धन्यवाद शुक्रिया"
)
_BORROWED_TEXT = """
flat flats price prices rate rates cost booking book visit visits site project projects location budget
loan emi bank parking available availability possession amenities apartment apartments builder floor
bedroom bedrooms area size unit units discount offer offers document documents agreement registration
policy cancel cancellation refund payment amount deposit token advance time date today tomorrow yesterday
evening morning afternoon monday tuesday wednesday thursday friday saturday sunday weekend confirm call
callback manager agent person number phone mobile email whatsapp brochure details detail information info
property properties home house villa plot gym pool school schools hospital metro station airport near
nearby ready option options total final address balcony clubhouse security interest tenure plan quote
quotation english hindi language schedule appointment sample budget possession
"""
_HINDI = frozenset(_HINDI_TEXT.split())
_ENGLISH = frozenset(_ENGLISH_TEXT.split())
_EITHER = frozenset(_EITHER_TEXT.split())
_DEVANAGARI_HINDI = frozenset(_DEVANAGARI_HINDI_TEXT.split())
_DEVANAGARI_ENGLISH = frozenset(_DEVANAGARI_ENGLISH_TEXT.split())
_SMALL = frozenset(_SMALL_TEXT.split())
_BORROWED = frozenset(_BORROWED_TEXT.split())
_GREETINGS = frozenset(_GREETINGS_TEXT.split())

_SMALL_PHRASES = re.compile(
    r"\b(thank you( (so|very) much| a lot)?|thanks a lot"
    r"|(that'?s|that is|it'?s) (ok(ay)?|fine|right|all|good)"
    r"|all right|of course|no problem|one (moment|minute|second)|good (morning|afternoon|evening|night)"
    r"|i see|you'?re welcome|how are you|see you( later)?|bye bye"
    r"|(achha |accha |acha |haan |ji )*(theek|thik|teek) (hai|h)|bas|koi baat (nahi|nahin)|sahi hai|haan na"
    r"|kaise (hain|ho) aap|aap kaise (hain|ho))\b"
    r"|ठीक है|कोई बात नहीं|सही है"
)
_TOKEN = re.compile(r"[a-z]+(?:['’][a-z]+)?|[\u0900-\u097f]+|\d[\d,.:]*[a-z]*")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
NUKTA = "\u093c"


@dataclass(frozen=True, slots=True)
class TextEvidence:
    """What an utterance's text says."""

    language: str
    """Empty when it says nothing."""
    strength: float
    """0 to 1."""
    mixed: bool
    leans: str
    """The language of the grammar, of a mixed utterance or of a mere greeting too."""
    signs: tuple[LanguageSign, ...]

    @property
    def is_clear(self) -> bool:
        return bool(self.language) and not self.mixed and self.strength >= CLEAR


def name_words(names: Iterable[str]) -> frozenset[str]:
    """Words of project, place and customer names, which are no evidence of a language. A word
    that also carries grammar ("The Address", "Maya Ki") stays one."""
    found = {word for name in names for word in _TOKEN.findall(_plain(name))}
    return frozenset(found - _HINDI - _ENGLISH - _EITHER - _DEVANAGARI_HINDI)


def _plain(text: str) -> str:
    # A letter with its dot below is written as one character or as two.
    text = text.lower().replace("’", "'")
    for whole, parts in (("\u095b", "ज" + NUKTA), ("\u095c", "ड" + NUKTA), ("\u095d", "ढ" + NUKTA),
                         ("\u095e", "फ" + NUKTA), ("\u0958", "क" + NUKTA)):  # fmt: skip
        text = text.replace(whole, parts)
    return text


def _in(word: str, table: frozenset[str]) -> bool:
    return word in table or (NUKTA in word and word.replace(NUKTA, "") in table)


def text_evidence(text: str, names: frozenset[str] = frozenset()) -> TextEvidence:
    """Evidence of one utterance; `names` as `name_words` gives them."""
    plain = _plain(text)
    greets = any(_in(word, _GREETINGS) for word in _TOKEN.findall(plain))
    said = [word for word in _TOKEN.findall(_SMALL_PHRASES.sub(" ", plain)) if not _in(word, _SMALL)]
    words = [word for word in said if word not in names and not _is_number(word)]
    devanagari = [word for word in words if _DEVANAGARI.search(word)]
    latin = [word for word in words if not _DEVANAGARI.search(word)]
    hindi = [word for word in devanagari if _in(word, _DEVANAGARI_HINDI)]
    hindi += [word for word in latin if word in _HINDI]
    english = [word for word in devanagari if _in(word, _DEVANAGARI_ENGLISH) and word not in hindi]
    english += [word for word in latin if word in _ENGLISH and word not in _HINDI]
    either = [word for word in latin if word in _EITHER and word not in _HINDI and word not in _ENGLISH]
    if hindi and not english:
        hindi += either
    elif english and not hindi:
        english += either
    borrowed = sum(word in _BORROWED for word in latin)

    signs = _signs(devanagari, latin, hindi, english)
    language, strength = _strength(len(hindi), len(english), len(said), len(devanagari))
    minor = min(len(hindi), len(english))
    mixed = bool(minor) and minor / (len(hindi) + len(english)) > MIXED_SHARE
    # Grammar of one language around mostly the other's nouns: "site visit book karni hai".
    mixed = mixed or (language == "hi" and 2 <= borrowed >= len(hindi))
    leans = language if not mixed or not english else ""
    if not language and greets:
        leans = "hi"
    return TextEvidence(language, strength, mixed, leans, signs)


def _is_number(word: str) -> bool:
    return word[0].isdigit() or word_value(word) is not None or multiplier(word) is not None


def _signs(
    devanagari: list[str], latin: list[str], hindi: list[str], english: list[str]
) -> tuple[LanguageSign, ...]:
    signs: list[LanguageSign] = []
    letters = len(devanagari) + len(latin)
    if devanagari:
        share = len(devanagari) / letters
        signs.append(LanguageSign("script", "hi", round(share, 2), f"{len(devanagari)} of {letters} words"))
    for language, found in (("hi", hindi), ("en", english)):
        if found:
            strength = min(1.0, 0.3 * len(found))
            signs.append(LanguageSign("words", language, round(strength, 2), " ".join(found[:6])))
    return tuple(signs)


def _strength(hindi: int, english: int, words: int, devanagari: int) -> tuple[str, float]:
    """The language that carries the sentence, and how surely."""
    if not hindi and not english:
        # Nouns in Devanagari only: a recogniser that was told Hindi writes English ones so too.
        return ("hi", 0.4) if devanagari else ("", 0.0)
    language = "hi" if hindi >= english else "en"
    count = max(hindi, english)
    if count >= 3:
        return language, 0.9
    if count == 2:
        return language, 0.7 if words >= 3 else 0.5
    return language, 0.6 if words >= 4 else 0.3


_CONTENT_TEXT = """
ghar makaan makan keemat qeemat kimat daam kist kiraya zameen jagah kamra kamre paisa paise rupaye rupay
rupaiye mahina mahine saal naam घर कीमत क़ीमत दाम
"""
_CONTENT = frozenset(_CONTENT_TEXT.split())
"""Words of the Hindi table that one asks about."""


def is_small_talk(words: Iterable[str]) -> bool:
    """Whether nothing but grammar and small words is among `words` (lower case)."""
    plain = (_HINDI, _ENGLISH, _EITHER, _SMALL, _DEVANAGARI_HINDI)
    return all(not _in(word, _CONTENT) and any(_in(word, table) for table in plain) for word in words)
