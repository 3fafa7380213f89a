"""Puts values in the place of `${env:X}` and `${secret:name}`, and remembers which must be hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel

from lagoa.errors import ProjectError
from lagoa.ports import SecretStore
from lagoa.project.yaml import Document, Where
from lagoa.registry import adapter, names
from lagoa.spec.secret import Secret

_REFERENCE = re.compile(r"\$(\$)?\{(?:(\w+):)?([A-Za-z_][\w.-]*)(:-([^}]*))?\}")
_FIRST_STORES = ("environment", "file")
_DSN_PASSWORD = re.compile(r"(?i)\b(?:password|pwd|sslpassword)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;]+)")


class References:
    """Resolves references in the values of YAML files; `secrets` gathers every secret value that was met."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._stores: list[SecretStore] | None = None
        self.secrets: list[str] = []

    def resolve(self, document: Document) -> tuple[Any, list[ProjectError]]:
        """Return the document's value with all references replaced, and what could not be resolved (LG-113).

        Text that holds a secret becomes a `Secret`, which only a field made for secrets accepts.
        """
        errors: list[ProjectError] = []
        return self._walk(document.value, (), document, errors), errors

    def remember(self, noun: object) -> None:
        """Gather the secrets of a declared noun, also those written into the file itself."""
        for value in _secrets_in(noun):
            for text in (value, *_passwords(value)):
                if text and text not in self.secrets:
                    self.secrets.append(text)

    def _walk(self, value: Any, where: Where, document: Document, errors: list[ProjectError]) -> Any:
        if isinstance(value, dict):
            return {k: self._walk(v, (*where, k), document, errors) for k, v in value.items()}
        if isinstance(value, list):
            return [self._walk(v, (*where, i), document, errors) for i, v in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            return self._text(value)
        except _Unresolved as error:
            errors.append(ProjectError("LG-113", error.message, place=document.at(where), hint=error.hint))
            return value

    def _text(self, text: str) -> str | Secret:
        secret = False

        def put(match: re.Match[str]) -> str:
            nonlocal secret
            escaped, kind, name, has_default, default = match.groups()
            if escaped:
                return match[0][1:]
            if kind == "env":
                return self._variable(name, default if has_default else None)
            if kind == "secret" and not has_default:
                secret = True
                return self._secret(name)
            hint = "write ${env:NAME}, ${env:NAME:-default} or ${secret:name}"
            raise _Unresolved(f"`{match[0]}` is not a reference", hint)

        found = _REFERENCE.sub(put, text)
        return Secret(found) if secret else found

    def _variable(self, name: str, default: str | None) -> str:
        value = self._environ.get(name)
        if default is not None:
            return value or default  # as in a shell: an empty variable takes the default
        if value is None:
            raise _Unresolved(
                f"${{env:{name}}} is not set; looked in the process's environment, then in .env",
                f"set {name}, or give a default: ${{env:{name}:-…}}",
            )
        return value

    def _secret(self, name: str) -> str:
        if self._stores is None:
            order = [*_FIRST_STORES, *(n for n in names("secrets") if n not in _FIRST_STORES)]
            self._stores = [adapter("secrets", store)(self._environ) for store in order]
        for store in self._stores:
            value = store.find(name)
            if value is not None:
                self.secrets.append(value)
                return value
        looked = "; ".join(store.where(name) for store in self._stores)
        hint = f"set it, for instance in .env: {name.upper()}=…"
        raise _Unresolved(f"${{secret:{name}}} was not found; looked in {looked}", hint)


class _Unresolved(Exception):
    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint


def _secrets_in(value: object) -> list[str]:
    if isinstance(value, Secret):
        return [value.reveal()]
    if isinstance(value, BaseModel):
        return [s for name in type(value).model_fields for s in _secrets_in(getattr(value, name))]
    if isinstance(value, Mapping):
        return [s for v in value.values() for s in _secrets_in(v)]
    if isinstance(value, (list, tuple)):
        return [s for v in value for s in _secrets_in(v)]
    return []


def _passwords(text: str) -> list[str]:
    """Find the password inside a connection's URL or `key=value` words, as written and decoded."""
    found = [match[1].strip("'") for match in _DSN_PASSWORD.finditer(text)]
    try:
        password = urlsplit(text).password if "://" in text else None
    except ValueError:
        password = None
    return found + ([password, unquote(password)] if password else [])
