"""The demo operator's login; apart, so that ./run can print it without loading the apps."""

LOGIN = ("demo", "demo-voiceops")
"""User name and password. Published, so only good on a machine of one's own: the account exists
only where the demo was seeded."""
