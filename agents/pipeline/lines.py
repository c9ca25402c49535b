# ruff: noqa: E501 - a spoken line stays on one line
"""Fixed lines every agent has, unless its profile says them in its own words.

`AgentProfile.lines[language][code]` wins; this table is what is said when a code is not there.
Braces are placeholders of the flow that says the line.
"""

from __future__ import annotations

from agents.pipeline.templates import fill
from voiceops.core.plan import AgentProfile

FILLERS = ("filler", "filler_2", "filler_3")
"""Said in turn while the caller waits; never the same twice in a row."""

DEFAULT_LINES: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello, how can I help you today?",
        "hello": "Hello! How can I help you?",
        "thanks": "You're welcome. Is there anything else I can help with?",
        "goodbye": "Thank you for calling. Goodbye!",
        "filler": "One moment, please.",
        "filler_2": "I'm just checking that for you.",
        "filler_3": "Thank you for waiting, it's almost there.",
        "recovery": "I'm sorry, that is taking longer than it should. Could you ask me once more?",
        "no_knowledge": "I don't have that information, and I'd rather not guess.",
        "source_down": "I can't reach our records just now, so I'd rather not guess. Please try again shortly.",
        "apology": "I'm sorry, something went wrong on my side. I'm asking a colleague to call you back.",
        "handover": "Of course. I'm asking a colleague to call you back.",
        "handover_failed": "I couldn't reach our team's system just now. Please call us again in a few minutes.",
        "still_there": "Are you still there?",
        "silent_goodbye": "I can't hear anyone, so I'll end the call here. Goodbye!",
        "not_understood": "I'm sorry, I didn't catch that. Could you say it again?",
        "stt_down": "I'm having trouble hearing you. Please say it again, or type it if you can.",
        "unclear": "I'm not sure I understood. Could you put it another way?",
        "language_switched": "Of course, let's speak English. What would you like to know?",
        "stale": "This is from my last saved copy of our records.",
        "partly": "I couldn't reach all of our records just now, so there may be more to say.",
        "visit_unconfirmed": "I couldn't get a confirmation that your visit was saved, so please don't count on it yet. A colleague will check and call you back.",
        "ask_property": "Which project or area, and what size of home are you interested in?",
        "ask_project": "Which project or area do you have in mind?",
        "ask_type": "What size of home: two, three or four bedroom?",
        "several": "I found a few options: {items}.",
        "no_match": "I have nothing on record for {wanted}. What I do have is {items}.",
        "no_match_empty": "I have nothing on record for {wanted}.",
        "no_history": "I don't see an earlier quote under your number.",
        "history_unknown_caller": "I can't match this call to a customer, so I can't see earlier quotes.",
        "visit_ask_project": "I'd be glad to arrange a visit. Which project would you like to see?",
        "visit_ask_day": "Which day and time would suit you to visit {project}?",
        "visit_offer": "For {project} I have {options}. Which one suits you?",
        "visit_offer_one": "For {project} I have {options}. Shall I take it for you?",
        "visit_no_slot_then": "Nothing is free for {project} {wanted}. I do have {options}. Which one suits you?",
        "visit_no_slots": "I'm sorry, no visits are free for {project} at the moment.",
        "visit_confirm": "So that is {project} on {slot_day} at {slot_time}. Shall I book it?",
        "visit_ask_name": "May I have your name for the visit?",
        "visit_ask_phone": "And a ten-digit mobile number we can reach you on?",
        "visit_bad_phone": "That doesn't look like a complete mobile number. Could you say all ten digits?",
        "visit_booked": "Your visit to {project} is booked for {slot_day} at {slot_time}. See you there!",
        "visit_taken": "I'm sorry, that time was just taken by someone else. I do have {options}. Which one suits you?",
        "visit_taken_none": "I'm sorry, that time was just taken, and nothing else is free for {project}.",
        "visit_store_down": "I couldn't save the visit just now, so nothing is booked. I'm asking a colleague to call you back.",
        "visit_store_down_alone": "I couldn't save the visit just now, so nothing is booked. Please call us again shortly.",
        "visit_unconfirmed_alone": "I couldn't get a confirmation that your visit was saved, so please don't count on it yet, and call us again shortly.",
        "visit_cancelled": "All right, I won't book a visit. Is there anything else I can help with?",
        "visit_which": "Which of these would you like: {options}?",
        "visit_past": "That time has already passed. Which later day and time would suit you?",
        "visit_back": "Now, about your visit to {project}:",
        "and": "and",
        "or": "or",
        "at": "{day} at {time}",
    },
    "hi": {
        "greeting": "नमस्ते, मैं आपकी क्या मदद कर सकती हूँ?",
        "hello": "नमस्ते! बताइए, मैं आपकी क्या मदद कर सकती हूँ?",
        "thanks": "आपका स्वागत है। क्या मैं और कोई मदद कर सकती हूँ?",
        "goodbye": "कॉल करने के लिए धन्यवाद। नमस्ते!",
        "filler": "एक पल रुकिए।",
        "filler_2": "मैं अभी देख रही हूँ।",
        "filler_3": "इंतज़ार के लिए धन्यवाद, बस हो ही गया।",
        "recovery": "माफ़ कीजिए, इसमें ज़्यादा समय लग रहा है। क्या आप एक बार फिर पूछेंगे?",
        "no_knowledge": "मेरे पास यह जानकारी नहीं है, और मैं अंदाज़ा नहीं लगाना चाहती।",
        "source_down": "अभी हमारे रिकॉर्ड तक पहुँच नहीं हो पा रही है, इसलिए मैं अंदाज़ा नहीं लगाऊँगी। कृपया थोड़ी देर में फिर पूछिए।",
        "apology": "माफ़ कीजिए, मेरी तरफ़ कुछ गड़बड़ हो गई। मैं अपने सहयोगी से आपको कॉल करवाती हूँ।",
        "handover": "ज़रूर। मैं अपने सहयोगी से आपको कॉल करवाती हूँ।",
        "handover_failed": "अभी हमारी टीम तक संदेश नहीं पहुँच पाया। कृपया कुछ मिनट बाद फिर कॉल कीजिए।",
        "still_there": "क्या आप लाइन पर हैं?",
        "silent_goodbye": "मुझे कोई आवाज़ नहीं आ रही, इसलिए मैं कॉल यहीं समाप्त करती हूँ। नमस्ते!",
        "not_understood": "माफ़ कीजिए, मैं ठीक से सुन नहीं पाई। क्या आप फिर से कहेंगे?",
        "stt_down": "मुझे आपकी आवाज़ ठीक से नहीं आ रही। कृपया फिर से कहिए, या लिखकर भेजिए।",
        "unclear": "मैं ठीक से समझ नहीं पाई। क्या आप दूसरे शब्दों में बताएँगे?",
        "language_switched": "ज़रूर, हम हिंदी में बात करते हैं। आप क्या जानना चाहेंगे?",
        "stale": "यह जानकारी हमारे रिकॉर्ड की पिछली सहेजी हुई प्रति से है।",
        "partly": "अभी हमारे सभी रिकॉर्ड तक पहुँच नहीं हो पाई, इसलिए कुछ और भी हो सकता है।",
        "visit_unconfirmed": "आपकी विज़िट सहेजी गई या नहीं, इसकी पुष्टि अभी नहीं मिली। मैं अपने सहयोगी से जाँच करवाकर आपको कॉल करवाती हूँ।",
        "ask_property": "किस प्रोजेक्ट या इलाके में, और कितने बेडरूम का घर चाहिए?",
        "ask_project": "आप किस प्रोजेक्ट या इलाके के बारे में पूछ रहे हैं?",
        "ask_type": "कितने बेडरूम का घर: दो, तीन या चार?",
        "several": "मेरे पास ये विकल्प हैं: {items}।",
        "no_match": "{wanted} के लिए मेरे रिकॉर्ड में कुछ नहीं है। मेरे पास यह है: {items}।",
        "no_match_empty": "{wanted} के लिए मेरे रिकॉर्ड में कुछ नहीं है।",
        "no_history": "आपके नंबर पर मुझे कोई पुराना कोटेशन नहीं मिला।",
        "history_unknown_caller": "यह कॉल किसी ग्राहक से नहीं जुड़ पाई, इसलिए मैं पुराने कोटेशन नहीं देख सकती।",
        "visit_ask_project": "मैं विज़िट तय कर देती हूँ। आप कौन सा प्रोजेक्ट देखना चाहेंगे?",
        "visit_ask_day": "{project} देखने के लिए कौन सा दिन और समय ठीक रहेगा?",
        "visit_offer": "{project} के लिए ये समय खाली हैं: {options}। आपको कौन सा ठीक लगेगा?",
        "visit_offer_one": "{project} के लिए {options} खाली है। क्या मैं इसे आपके लिए रख दूँ?",
        "visit_no_slot_then": "{project} के लिए {wanted} कुछ खाली नहीं है। ये समय खाली हैं: {options}। आपको कौन सा ठीक लगेगा?",
        "visit_no_slots": "माफ़ कीजिए, {project} के लिए अभी कोई समय खाली नहीं है।",
        "visit_confirm": "तो {project}, {slot_day} को {slot_time}। क्या मैं बुक कर दूँ?",
        "visit_ask_name": "विज़िट किसके नाम से रखूँ?",
        "visit_ask_phone": "और आपका दस अंकों का मोबाइल नंबर?",
        "visit_bad_phone": "यह नंबर पूरा नहीं लग रहा। क्या आप दसों अंक फिर से बताएँगे?",
        "visit_booked": "{project} के लिए आपकी विज़िट {slot_day} को {slot_time} बुक हो गई है। आपसे वहीं मिलते हैं!",
        "visit_taken": "माफ़ कीजिए, यह समय अभी किसी और ने ले लिया। ये समय खाली हैं: {options}। आपको कौन सा ठीक लगेगा?",
        "visit_taken_none": "माफ़ कीजिए, यह समय अभी किसी और ने ले लिया, और {project} के लिए और कुछ खाली नहीं है।",
        "visit_store_down": "विज़िट अभी सहेजी नहीं जा सकी, इसलिए कुछ बुक नहीं हुआ है। मैं अपने सहयोगी से आपको कॉल करवाती हूँ।",
        "visit_store_down_alone": "विज़िट अभी सहेजी नहीं जा सकी, इसलिए कुछ बुक नहीं हुआ है। कृपया थोड़ी देर में फिर कॉल कीजिए।",
        "visit_unconfirmed_alone": "आपकी विज़िट सहेजी गई या नहीं, इसकी पुष्टि अभी नहीं मिली। कृपया थोड़ी देर में फिर कॉल कीजिए।",
        "visit_cancelled": "ठीक है, मैं विज़िट बुक नहीं करती। क्या मैं और कोई मदद कर सकती हूँ?",
        "visit_which": "इनमें से आपको कौन सा समय चाहिए: {options}?",
        "visit_past": "वह समय निकल चुका है। उसके बाद का कौन सा दिन और समय ठीक रहेगा?",
        "visit_back": "अब {project} की आपकी विज़िट की बात:",
        "and": "और",
        "or": "या",
        "at": "{day} को {time}",
    },
}


def say(profile: AgentProfile, code: str, language: str, **values: str) -> str:
    """The line `code` in `language`: the profile's own words, else the default ones."""
    own = profile.lines.get(language, {}).get(code)
    text = own or DEFAULT_LINES.get(language, {}).get(code) or profile.line(code, language)
    text = text or DEFAULT_LINES["en"].get(code, "")
    return fill(text, values) if values else text


def joined(items: list[str], conjunction: str) -> str:
    """ "a, b or c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"
