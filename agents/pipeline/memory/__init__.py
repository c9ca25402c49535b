"""What a call remembers: `Memory` is the state, `Recollection` what is made of it in a turn."""

from agents.pipeline.memory.facts import Change, Heard, Known
from agents.pipeline.memory.session import Memory, PlayedTurn, Slot, memory_of

__all__ = ["Change", "Heard", "Known", "Memory", "PlayedTurn", "Slot", "memory_of"]
