"""Turn models by name: when a caller has finished. Each entry is a factory
`create(settings) -> TurnModel`."""

from voiceops.core.registry import Registry

REGISTRY = Registry(
    "turn model",
    {
        "adaptive": "agents.providers.turn.adaptive:create",
        "silence": "agents.providers.turn.silence:create",
    },
)
