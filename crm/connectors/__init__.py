"""CRM connectors by name. Each takes the CRM's address and a time-out."""

from voiceops.core.registry import Registry

CONNECTORS = Registry("CRM", {"http": "crm.connectors.http:HttpConnector"})
