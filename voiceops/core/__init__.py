"""Shared words of the platform: audio, events, plans, ports, errors. Standard library only."""
