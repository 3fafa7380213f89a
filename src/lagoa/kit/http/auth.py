"""Who is asking: credentials as declared, and the tokens of OAuth2, renewed before they end."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Literal, Self
from urllib.parse import quote_plus, urlencode

from pydantic import model_validator

from lagoa.errors import SourceError
from lagoa.kit.http.exchange import Answer, Request
from lagoa.spec.declared import Declared
from lagoa.spec.secret import Secret

_MARGIN = 60.0
"""Seconds before its end at which a token is renewed; a tenth of its life when that is shorter."""
_LIFE = 3600.0
"""Seconds that a token is taken to live when the server does not say."""


class Basic(Declared):
    """A user and a password."""

    user: str
    """Who is asking."""
    password: Secret
    """The password, best given as ${secret:name}."""


class OAuth2(Declared):
    """Client credentials, or a refresh token, which are exchanged for access tokens."""

    token_url: str
    """Where tokens are given."""
    client_id: str
    """Which client is asking."""
    client_secret: Secret
    """The client's secret, best given as ${secret:name}."""
    refresh_token: Secret | None = None
    """A refresh token that is exchanged instead of the client's credentials alone."""
    scope: str | None = None
    """What the token is for, as the server calls it."""
    audience: str | None = None
    """Whom the token is for, where the server wants to know."""
    send: Literal["basic", "body"] = "basic"
    """How the client says who it is: by basic authentication, or in the request's body."""


class Auth(Declared):
    """How requests say who is asking: one of `bearer`, `basic`, `api_key`, `oauth2`."""

    bearer: Secret | None = None
    """A token, sent as `Authorization: Bearer …`."""
    basic: Basic | None = None
    """A user and a password."""
    api_key: Secret | None = None
    """A key, sent as the header or the query parameter that is named beside it."""
    header: str | None = None
    """The header that takes `api_key`."""
    query: str | None = None
    """The query parameter that takes `api_key`."""
    oauth2: OAuth2 | None = None
    """Client credentials or a refresh token, exchanged for access tokens that are renewed in time."""

    @model_validator(mode="after")
    def _says_one_way(self) -> Self:
        given = [n for n in ("bearer", "basic", "api_key", "oauth2") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("say one of bearer, basic, api_key, oauth2")
        places = (self.header is not None) + (self.query is not None)
        if places != (self.api_key is not None):
            raise ValueError("`api_key` goes with either `header:` or `query:`, the name under which it is sent")
        return self

    def secrets(self) -> list[str]:
        """Return every text that must not be seen."""
        found = [s.reveal() for s in (self.bearer, self.api_key) if s]
        if self.basic:
            found += [self.basic.password.reveal(), _pair(self.basic.user, self.basic.password.reveal())]
        if self.oauth2:
            found.append(self.oauth2.client_secret.reveal())
            found += [self.oauth2.refresh_token.reveal()] if self.oauth2.refresh_token else []
        return [text for text in found if text]

    def headers(self, token: str | None) -> dict[str, str]:
        """Return the headers that say who is asking; `token` is the access token of `oauth2`."""
        if self.api_key and self.header:
            return {self.header: self.api_key.reveal()}
        if self.basic:
            return {"Authorization": "Basic " + _pair(self.basic.user, self.basic.password.reveal())}
        bearer = token if self.oauth2 else self.bearer.reveal() if self.bearer else None
        return {"Authorization": f"Bearer {bearer}"} if bearer else {}

    def parameters(self) -> dict[str, str]:
        """Return the query parameters that say who is asking."""
        return {self.query: self.api_key.reveal()} if self.api_key and self.query else {}


def _pair(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


class Tokens:
    """The access token of the moment; asked for by one thread while the others wait for it."""

    def __init__(
        self, said: OAuth2, ask: Callable[[Request], Answer], hide: Callable[[str], None], show: Callable[[str], str]
    ) -> None:
        self._said, self._ask, self._hide, self._show = said, ask, hide, show
        self._lock = Lock()
        self._token, self._until = "", 0.0

    def token(self, refused: str | None = None) -> str:
        """Return a token that is valid for a while yet, and is not the refused one. Raises SourceError LG-201."""
        with self._lock:
            if not self._token or self._token == refused or time.monotonic() >= self._until:
                self._renew()
            return self._token

    def _renew(self) -> None:
        said = self._said
        form = {"grant_type": "client_credentials"}
        if said.refresh_token:
            form = {"grant_type": "refresh_token", "refresh_token": said.refresh_token.reveal()}
        form |= {k: v for k, v in (("scope", said.scope), ("audience", said.audience)) if v}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        client, secret = said.client_id, said.client_secret.reveal()
        if said.send == "basic":
            headers["Authorization"] = "Basic " + _pair(quote_plus(client), quote_plus(secret))
        else:
            form |= {"client_id": client, "client_secret": secret}
        began = time.monotonic()
        answer = self._ask(Request(said.token_url, "POST", urlencode(form).encode(), headers))
        found = self._read(answer)
        self._hide(found["access_token"])
        self._token = found["access_token"]
        life = _seconds(found.get("expires_in"))
        self._until = began + max(life - _MARGIN, life * 0.9 if life < _MARGIN * 10 else 0)

    def _read(self, answer: Answer) -> Mapping[str, str]:
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if answer.status == 200 and isinstance(found, dict) and isinstance(found.get("access_token"), str):
            return found
        found = found if isinstance(found, dict) else {}
        words = [str(found[k]) for k in ("error", "error_description") if found.get(k)]
        said = f" ({': '.join(words)[:200]})" if words else ""
        raise SourceError(
            "LG-201",
            self._show(f"no token was given by {self._said.token_url}: status {answer.status}{said}"),
            hint="check `client_id:`, `client_secret:`, `scope:` and `token_url:`; some servers want `send: body`",
        )


def _seconds(said: object) -> float:
    try:
        return max(0.0, float(str(said)))
    except ValueError:
        return _LIFE
