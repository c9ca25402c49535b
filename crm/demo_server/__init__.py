"""The demo's CRM: a small HTTP service of its own, to deliver to. No Django in it."""
