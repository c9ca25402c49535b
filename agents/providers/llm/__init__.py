"""Language models by name. Each entry is a factory `create(settings) -> LanguageModel`."""

from voiceops.core.registry import Registry

REGISTRY = Registry(
    "LLM",
    {
        "openai": "agents.providers.llm.openai:create",
        "simulated": "agents.providers.llm.simulated:create",
    },
)
