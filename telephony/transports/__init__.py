"""Sans-IO wire codecs (`voiceops.core.ports.Codec`), one file and one line here for each."""

from voiceops.core.registry import Registry

REGISTRY = Registry(
    "transport",
    {
        "twilio": "telephony.transports.twilio:TwilioCodec",
        "browser": "telephony.transports.browser:BrowserCodec",
    },
)
