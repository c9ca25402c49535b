"""VoiceOps: a self-hosted voice-AI operations platform."""
