"""Providers by name: dotted paths, imported when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from voiceops.core.errors import ConfigurationError


class Registry:
    """Maps a short name to `package.module:Attribute`, lazily imported."""

    def __init__(self, port: str, entries: Mapping[str, str]) -> None:
        self.port = port
        self._entries = dict(entries)

    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def load(self, name: str) -> Any:
        """The class or factory registered as `name`.

        Raises: ConfigurationError naming the known names, or the package to install.
        """
        try:
            path = self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise ConfigurationError(f"no {self.port} provider {name!r}: use one of {known}") from None
        module, _, attribute = path.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ImportError as error:
            raise ConfigurationError(
                f"{self.port} provider {name!r} needs the package {error.name!r}: install it"
            ) from error
