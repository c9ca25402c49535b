"""Words that stop somebody who speaks: English, Hindi in both scripts."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[\w\u0900-\u097f']+")
_LONGEST = 3


def _phrases(text: str) -> frozenset[str]:
    return frozenset(
        phrase.strip() for line in text.split("\n") for phrase in line.split("|") if phrase.strip()
    )


INTERRUPTIONS = _phrases(
    """
    stop|wait|no|nope|not|don't|hold on|hang on|one moment|one second|one minute|one sec|just a|excuse me
    sorry|pardon|actually|listen|but|wrong|incorrect|enough|cancel|never mind|nevermind|forget it
    quiet|shut up|hello|hey|what|why|when|where|who|how|which|repeat|again|say again
    slower|slowly|louder|help|question|goodbye|bye bye|english|hindi|human|operator|agent
    ruko|rukiye|rukie|ruk jao|ruk jaiye|thehro|thahro|thehriye|nahi|nahin|nahee|mat|bas|ek minute|ek min
    ek second|ek sec|ek minat|suno|suniye|sunie|suniyega|arre|are suniye|galat|lekin|magar|par suniye
    kya|kyun|kyon|kab|kahan|kaun|kaise|kitna|kitne|kitni|phir se|fir se|dobara|maaf kijiye|maaf kijiega
    चुप|रुको|रुकिए|रुकिये|रुक जाओ|रुक जाइए|ठहरो|ठहरिए|नहीं|नही|ना|मत|बस|एक मिनट|एक मिनिट|एक सेकंड|एक सेकेंड
    सुनो|सुनिए|सुनिये|सुनिएगा|अरे|गलत|ग़लत|लेकिन|मगर|क्या|क्यों|कब|कहाँ|कहां|कौन|कैसे|कितना|कितने|कितनी
    फिर से|दोबारा|माफ़ कीजिए|माफ कीजिए|माफ़ कीजिएगा|हेलो|हैलो|हिंदी|हिन्दी|अंग्रेज़ी|अंग्रेजी
    """
)


def is_interruption(text: str) -> bool:
    """Whether the words hold one that is said to stop a speaker, to correct, or to ask."""
    words = _WORDS.findall(text.lower().replace("’", "'"))
    return any(
        " ".join(words[start : start + length]) in INTERRUPTIONS
        for length in range(1, _LONGEST + 1)
        for start in range(len(words) - length + 1)
    )
