# ruff: noqa: E501 - a spoken line stays on one line
"""What callers ask the demo agent: fields of `agents.models.Intent`, with `examples` as (language, text)
pairs for `IntentExample`. Hinglish examples carry `hi`."""

from __future__ import annotations

from typing import Any


def _examples(english: str, hindi: str) -> list[tuple[str, str]]:
    return [("en", line.strip()) for line in english.strip().splitlines()] + [
        ("hi", line.strip()) for line in hindi.strip().splitlines()
    ]


INTENTS: list[dict[str, Any]] = [
    {
        "slug": "price_enquiry",
        "label": "Price enquiry",
        "kind": "answer",
        "sources": ["listings"],
        "templates": {
            "en": "The {property_type} at {project} in {locality} is priced at {price}.",
            "en.item": "the {property_type} at {project} in {locality} at {price}",
            "hi": "{locality} के {project} में {property_type} की क़ीमत {price} है।",
            "hi.item": "{locality} के {project} में {property_type}, {price}",
        },
        "line": "",
        "examples": _examples(
            """
            What is the price of a 3BHK in Whitefield?
            What is the price of a flat there?
            How much does a flat cost in the project?
            What is the rate for flats in the project?
            How much does the three bedroom flat cost?
            What does an apartment cost at the project?
            How much is it?
            Tell me the price please
            What are your rates?
            What would a flat set me back?
            Can you give me the cost of a flat?
            What about Sarjapur, how much there?
            And the two bedroom?
            How expensive are the flats?
            What price range are the apartments?
            How much do I have to pay for a four bedroom?
            I want to know the price of your apartments
            Is there anything under one crore?
            """,
            """
            व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?
            थ्री बीएचके फ्लैट कितने का है?
            दाम क्या है?
            Whitefield mein 3BHK ka price kya hai?
            flat ka daam kya hai?
            flat kitne ka hai?
            2BHK kitne ka hai?
            flat ki keemat batao
            सरजापुर में फ्लैट का रेट क्या है?
            Flat kitne ka hai?
            Ghar kitne mein milega?
            """,
        ),
    },
    {
        "slug": "availability_enquiry",
        "label": "Availability enquiry",
        "kind": "answer",
        "sources": ["listings"],
        "templates": {
            "en": "Yes, {units_available} of the {property_type} homes at {project} in {locality} are still available.",
            "en.item": "{units_available} of the {property_type} homes at {project} in {locality}",
            "hi": "जी हाँ, {locality} के {project} में {property_type} के {units_available} घर अभी उपलब्ध हैं।",
            "hi.item": "{locality} के {project} में {property_type} के {units_available} घर",
        },
        "line": "",
        "examples": _examples(
            """
            Do you have any flats available?
            Are there any apartments left?
            Do you still have flats in the project?
            How many flats do you have left?
            Is the two bedroom flat still available?
            How many units are left?
            Are there any flats left?
            What is available at the project?
            Do you have something there?
            Is anything still available?
            How many three bedroom apartments are unsold?
            Are all the 2BHK flats sold out?
            Which flats are still free?
            Can I still get one?
            What homes do you have at the moment?
            Show me what options you have
            I'm looking for a flat
            What kind of flats do you have?
            How many homes do you have there?
            """,
            """
            क्या कोई फ्लैट उपलब्ध है?
            कितने घर खाली हैं?
            कितने फ्लैट बचे हैं?
            क्या टू बीएचके खाली है?
            Koi 3BHK available hai kya?
            Kitne flat bache hain?
            Abhi kya available hai?
            Koi ghar khali hai?
            कोई फ्लैट खाली है?
            """,
        ),
    },
    {
        "slug": "site_visit_booking",
        "label": "Site visit booking",
        "kind": "flow",
        "sources": ["slots"],
        "templates": {},
        "line": "",
        "examples": _examples(
            """
            I want to book a site visit
            Can I come and see the flat tomorrow?
            I would like to visit the project on Saturday
            Book a visit to the project tomorrow
            Can I come over tomorrow to see it?
            Book a visit for tomorrow at five
            Can you schedule a visit for me?
            I want to see the apartment
            When can I come and have a look?
            Please arrange a site visit
            Could somebody show me the property this weekend?
            Are there any visit slots on Sunday morning?
            I'd like to make an appointment to view the flat
            Can I see the three bedroom in person?
            Please fix a visit for Saturday at eleven
            """,
            """
            मुझे साइट विज़िट बुक करनी है
            क्या मैं कल फ्लैट देखने आ सकता हूँ?
            शनिवार को साइट देखनी है
            Mujhe site visit book karni hai
            Kal flat dekhne aana hai
            Visit ke liye time de dijiye
            """,
        ),
    },
    {
        "slug": "emi_history",
        "label": "Earlier quote",
        "kind": "answer",
        "sources": ["history"],
        "templates": {
            "en": "The EMI we quoted you {quoted_on} was {emi} a month for the {property_type} at {project}.",
            "en.item": "{emi} a month for the {property_type} at {project}",
            "hi": "{quoted_on} हमने आपको {project} के {property_type} के लिए {emi} महीने की ईएमआई बताई थी।",
            "hi.item": "{project} के {property_type} के लिए {emi} महीना",
        },
        "line": "",
        "examples": _examples(
            """
            What was the EMI amount you quoted me yesterday?
            What EMI did you tell me last time?
            How much was my monthly instalment?
            Can you repeat the quote you gave me?
            What was the loan instalment in my quote?
            You quoted me an EMI, what was it?
            What did we discuss about the EMI?
            What did you say my monthly payment would be?
            Remind me of my EMI please
            What was the interest rate in my quote?
            How much per month did you say?
            What was the offer you made me last week?
            What is my EMI?
            """,
            """
            कल आपने मुझे कितनी ईएमआई बताई थी?
            मेरी ईएमआई कितनी थी?
            पिछली बार कितनी किस्त बताई थी?
            Kal EMI kitna bataya tha?
            Mera EMI kitna tha?
            Pichli baar kitni kist batayi thi aapne?
            """,
        ),
    },
    {
        "slug": "policy_question",
        "label": "Policy question",
        "kind": "answer",
        "sources": ["policies", "documents"],
        "templates": {},
        "line": "",
        "examples": _examples(
            """
            What is your cancellation policy?
            Can I get a refund of the booking amount?
            How much is the booking amount?
            What documents do I need to buy a flat?
            What happens if possession is delayed?
            Are pets allowed?
            Can I keep a dog or a cat?
            If I cancel, do I get my money back?
            What are the payment terms?
            Is there a penalty if I cancel?
            Do you charge brokerage?
            How do home loans work with you?
            Is the project RERA registered?
            What is the stamp duty and registration charge?
            Do you keep recordings of calls?
            Can an NRI buy a flat?
            How long is my booking refundable?
            Is parking included in the price?
            How much are the maintenance charges?
            Do you send a cab for site visits?
            Do you help with a loan?
            """,
            """
            कैंसिलेशन पॉलिसी क्या है?
            बुकिंग अमाउंट वापस मिलेगा क्या?
            कौन से कागज़ात चाहिए?
            Booking cancel karne par refund milega?
            Payment ki shartein kya hain?
            Kya pets allowed hain?
            """,
        ),
    },
    {
        "slug": "project_info",
        "label": "About a project",
        "kind": "answer",
        "sources": ["documents", "policies", "listings"],
        "templates": {},
        "line": "",
        "examples": _examples(
            """
            What amenities does the project have?
            What facilities are there?
            When can I move in?
            How far is the airport?
            Is there a swimming pool?
            Where exactly is the project?
            When is possession?
            How far is it from the metro?
            When will the flats be ready?
            Is there a gym and a clubhouse?
            Which schools are nearby?
            How big is the three bedroom?
            What is the carpet area of the flat?
            Tell me more about the project
            Is there covered parking?
            Who is the builder?
            What is the address of the site?
            When will we get the keys?
            When is handover?
            """,
            """
            वहाँ क्या सुविधाएँ हैं?
            क्या स्विमिंग पूल है?
            पज़ेशन कब मिलेगा?
            Project kahan par hai?
            Possession kab milega?
            Metro se kitni door hai?
            """,
        ),
    },
    {
        "slug": "memory_recall",
        "label": "Asks what was said",
        "kind": "answer",
        "sources": ["memory"],
        "templates": {},
        "line": "",
        "examples": _examples(
            """
            What did I say my budget was?
            Which area did I want?
            What is my name?
            What did you tell me about the price?
            Do you remember what I am looking for?
            How many bedrooms did I ask for?
            When did I say I want to move in?
            What did I tell you about my loan?
            Remind me what I told you
            What do you know about me?
            What did we talk about last time?
            Which floor did I prefer?
            """,
            """
            मैंने अपना बजट कितना बताया था?
            मेरा नाम क्या है?
            मैंने कौन सा इलाका बताया था?
            Maine apna budget kitna bataya tha?
            Mera naam kya hai?
            Aapko yaad hai maine kya bataya tha?
            """,
        ),
    },
    {
        "slug": "about_caller",
        "label": "Tells about themselves",
        "kind": "answer",
        "sources": ["memory"],
        "templates": {},
        "line": "",
        "examples": _examples(
            """
            My budget is one crore
            My name is Asha
            We are a family of four
            I want to move in by March
            I will take a home loan
            It is for investment
            I prefer a high floor
            We want to live there ourselves
            Actually my budget is ninety lakh
            I work in an office nearby
            My wife and I are looking for our first home
            We would like to shift before the school year begins
            """,
            """
            मेरा बजट एक करोड़ है
            मेरा नाम आशा है
            हम चार लोग हैं
            Mera budget ek crore hai
            Mera naam Asha hai
            Hum chaar log hain
            """,
        ),
    },
    {
        "slug": "greeting",
        "label": "Greeting",
        "kind": "social",
        "sources": [],
        "templates": {},
        "line": "hello",
        "examples": _examples(
            """
            Hello
            Hi
            Hi there
            Hey
            Good morning
            Good afternoon
            Good evening
            Hello, is anybody there?
            Hello, can you hear me?
            Hi Maya
            How are you?
            Greetings
            """,
            """
            नमस्ते
            नमस्कार
            हेलो
            Namaste
            Namaskar ji
            Kaise hain aap?
            """,
        ),
    },
    {
        "slug": "thanks",
        "label": "Thanks",
        "kind": "social",
        "sources": [],
        "templates": {},
        "line": "thanks",
        "examples": _examples(
            """
            Thank you
            Thanks
            Thanks a lot
            Thank you very much
            Many thanks
            Thank you so much for your help
            That was helpful, thanks
            Great, thank you
            Okay, thanks
            Okay
            Alright, got it
            Perfect, thank you
            Much appreciated
            Wonderful, thanks
            """,
            """
            धन्यवाद
            शुक्रिया
            बहुत धन्यवाद
            Dhanyavaad
            Shukriya
            Bahut shukriya aapka
            """,
        ),
    },
    {
        "slug": "goodbye",
        "label": "Goodbye",
        "kind": "social",
        "sources": [],
        "templates": {},
        "line": "goodbye",
        "examples": _examples(
            """
            Goodbye
            Bye
            Bye bye
            Thanks, bye
            Okay bye
            See you
            See you later
            That is all, goodbye
            That's all, thank you, bye
            I have to go now
            Talk to you later
            Have a nice day, goodbye
            No, that's all
            No, thank you
            No
            Nothing else
            """,
            """
            अलविदा
            ठीक है, बाय
            फिर मिलेंगे
            Phir milenge
            Theek hai, bye
            Bas itna hi, namaste
            """,
        ),
    },
    {
        "slug": "handover_request",
        "label": "Asks for a person",
        "kind": "handover",
        "sources": [],
        "templates": {},
        "line": "handover",
        "examples": _examples(
            """
            I want to talk to a human
            Can I speak to a real person?
            Connect me to an agent
            Please transfer me to somebody
            Let me talk to your manager
            I want to speak with a sales person
            Can somebody call me back?
            Get me a person please
            I don't want to talk to a machine
            Put me through to customer care
            Is there a human I can speak to?
            Ask a colleague to call me
            """,
            """
            मुझे किसी इंसान से बात करनी है
            मैनेजर से बात कराइए
            किसी से बात करवा दीजिए
            Mujhe kisi insaan se baat karni hai
            Manager se baat karao
            Mujhe call back chahiye
            """,
        ),
    },
    {
        "slug": "unknown",
        "label": "Something else",
        "kind": "social",
        "sources": [],
        "templates": {},
        "line": "unclear",
        "examples": _examples(
            """
            What is the weather today?
            Recommend me a restaurant
            What is your favourite colour?
            Translate this for me
            I like to ride my bicycle
            Tell me a joke
            Who won the cricket match?
            Can you order a pizza for me?
            What is the capital of France?
            Play some music
            What time is it in London?
            Can you fix my computer?
            Sing a song for me
            I want to buy a car
            What is the meaning of life?
            Book me a train ticket
            What is the price of petrol?
            I saw it on the news yesterday
            My brother lives abroad
            """,
            """
            आज मौसम कैसा है?
            मुझे एक चुटकुला सुनाओ
            मैच कौन जीता?
            Gaana sunao
            Mujhe pizza chahiye
            Train ka ticket book karo
            """,
        ),
    },
]
