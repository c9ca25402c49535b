"""Utterances as callers of a property desk say or type them, with the language they are in:
`en`, `hi`, `mixed` (grammar of both, or Hindi around mostly English words) or `` (no evidence:
names, numbers, small words)."""

NAMES = (
    "Lakeview Residency", "Orchid Grove", "Whitefield", "व्हाइटफील्ड", "Indiranagar", "इंदिरानगर", "Sarjapur",
    "सरजापुर", "Hebbal", "Electronic City", "Asha Rao", "Rahul Sharma", "लेकव्यू रेज़िडेंसी",
)  # fmt: skip

_EN = """
What is the price of a 3BHK in Whitefield?
How much does the two bedroom cost?
Can I come and see the flat tomorrow?
I would like to visit Lakeview Residency on Saturday
Is there a swimming pool in the project?
When will the flats be ready?
What was the EMI amount you quoted me yesterday?
Do you have anything under one crore?
I'm looking for an apartment near the metro
Are there any flats left in Orchid Grove?
Could you repeat that please?
My name is Asha Rao
And how far is it from the airport?
We want something with a garden
Tell me about the payment plan
Which one is cheaper?
That sounds too expensive for me
Please book it for five in the evening
I will think about it and call you back
Does the price include parking?
Who is the builder of this project?
Can somebody call me back tomorrow?
What documents do I need for the loan?
No, I meant the three bedroom
Is it possible to get a discount?
You told me it was eighty five lakh
Where exactly is Sarjapur?
Let me talk to your manager
it is too far from my office
what happens if I cancel
"""
_HI_LATIN = """
Whitefield mein 3BHK ka price kya hai?
Flat kitne ka hai?
Mujhe do kamre ka ghar chahiye
Kal dekhne aa sakte hain kya?
Lakeview Residency kahan hai?
Kal aapne kitni EMI batayi thi?
Kya abhi koi ghar khali hai?
Mera naam Rahul Sharma hai
Iska daam thoda kam ho sakta hai?
Possession kab milega?
Metro se kitni door hai?
Aap mujhe shaam ko phone kijiye
Main kal subah aaunga
Yeh bahut mehnga hai
Kuch aur dikhaiye
Nahi, mujhe teen bedroom wala chahiye
Itna paisa mere paas nahi hai
Wahan paani ki kya vyavastha hai?
Aapka office kahan par hai?
Phir se bataiye, samajh nahi aaya
Mujhe kisi insaan se baat karni hai
Hum log shanivar ko aayenge
Parking milegi kya?
Pichli baar aapne kam bataya tha
Ghar kab tak taiyar hoga?
Sarjapur wala kaisa hai?
Bacchon ke liye school paas mein hai?
Theek hai, kal ka rakh dijiye
Kya main loan le sakta hoon?
Agar cancel kiya to paise wapas milenge?
"""
_HI_DEVANAGARI = """
व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?
फ्लैट कितने का है?
मुझे दो कमरे का घर चाहिए
क्या मैं कल देखने आ सकता हूँ?
लेकव्यू रेज़िडेंसी कहाँ है?
कल आपने कितनी ईएमआई बताई थी?
क्या अभी कोई घर खाली है?
मेरा नाम राहुल शर्मा है
इसका दाम थोड़ा कम हो सकता है?
पज़ेशन कब मिलेगा?
मेट्रो से कितनी दूर है?
आप मुझे शाम को फ़ोन कीजिए
मैं कल सुबह आऊँगा
यह बहुत महँगा है
कुछ और दिखाइए
नहीं, मुझे तीन बेडरूम वाला चाहिए
इतना पैसा मेरे पास नहीं है
वहाँ पानी की क्या व्यवस्था है?
आपका ऑफिस कहाँ पर है?
फिर से बताइए, समझ नहीं आया
किसी इंसान से बात कराइए
हम लोग शनिवार को आएँगे
पार्किंग मिलेगी क्या?
पिछली बार आपने कम बताया था
घर कब तक तैयार होगा?
3BHK की क़ीमत बताइए
साइट विज़िट बुक करनी है
Lakeview Residency की कीमत क्या है?
बच्चों के लिए स्कूल पास में है?
अगर कैंसिल किया तो पैसे वापस मिलेंगे?
"""
_MIXED = """
I want to know ki price kya hai
Mujhe the best option chahiye, what do you have?
Can you please batao kitna hoga
Mera budget is around one crore aur I want parking
Flat toh nice hai but the price is too much yaar
Actually I was asking ki possession kab milega
Site visit book karni hai Saturday evening
Tomorrow morning site visit ka appointment confirm karo
Available flats ki price list WhatsApp karo please
I think woh wala project better hai for us
Mujhe samajh nahi aaya, can you repeat that?
मुझे please बताओ what is the price of this
Haan but what about the parking, wahan hai kya?
Price discount and payment plan details bhejo
Kal I will come with my wife, theek hai?
We are looking for ek do bedroom ka ghar
So basically EMI kitna hoga for twenty years
Loan ke liye what documents do I need
Main sochta hoon this is too expensive for us
Aap mujhe call back karo when you have something
"""
_NONE = """
Whitefield
Lakeview Residency
Indiranagar
व्हाइटफील्ड
Asha Rao
Rahul Sharma
ok
okay okay
hello
haan
haan ji
ji
yes
no
hmm
theek hai
ठीक है
जी हाँ
thank you
thank you very much
3BHK
nine eight seven six five four three two one zero
98765 43210
one crore twenty lakh
एक करोड़ बीस लाख
Orchid Grove, Sarjapur
good morning
five thirty
Saturday
Hebbal
"""


def _rows(text: str, label: str) -> list[tuple[str, str]]:
    return [(line.strip(), label) for line in text.strip().splitlines()]


LABELLED = [
    *_rows(_EN, "en"), *_rows(_HI_LATIN, "hi"), *_rows(_HI_DEVANAGARI, "hi"), *_rows(_MIXED, "mixed"),
    *_rows(_NONE, ""),
]  # fmt: skip
