"""The sign that background work gets done: beat sends a task, a worker writes a key that expires."""

HEARTBEAT_KEY = "voiceops:heartbeat"
EVERY_S = 5
EXPIRES_S = 30
