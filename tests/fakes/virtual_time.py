"""Virtual time for tests, from where the benchmarks have it too."""

from voiceops.core.virtual_time import VirtualTimeLoop, VirtualTimePolicy

__all__ = ["VirtualTimeLoop", "VirtualTimePolicy"]
