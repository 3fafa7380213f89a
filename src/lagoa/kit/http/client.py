"""Asks a server patiently: repeats what may heal, follows redirects, and gives credentials to nobody else."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http.client import HTTPException
from threading import Event, Lock

from lagoa.errors import SourceError, Stopped
from lagoa.kit.http.auth import Auth, Tokens
from lagoa.kit.http.body import Unusable
from lagoa.kit.http.exchange import Answer, Pool, Request, Stale, exchange
from lagoa.kit.http.guard import Guard
from lagoa.kit.http.limits import Ending, Limits, Pace, told_to_wait
from lagoa.kit.http.url import Address, joined, with_parameters, without_parameters
from lagoa.kit.patience import Patience, call
from lagoa.kit.redact import Redactor
from lagoa.spec.secret import Secret

_REPEATED = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOPS = 5
_SAID = 200
"""Characters of a server's own words that a message repeats."""


class Trouble(Exception):  # it becomes a SourceError once nobody tries again
    """A request that failed and may be repeated; `wait`: the seconds that the server asked for."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Client:
    """Asks one source's server. Credentials and `headers` go to the origin of `home` alone. Safe for threads."""

    def __init__(
        self,
        home: str,
        guard: Guard,
        limits: Limits,
        stopped: Event,
        auth: Auth | None = None,
        headers: Mapping[str, Secret] | None = None,
        first_pause: float = 0.5,
    ) -> None:
        self._home = Address.parse(home).origin
        self._limits, self._auth = limits, auth
        self._headers = {name: value.reveal() for name, value in (headers or {}).items()}
        self._secrets = [*(auth.secrets() if auth else ()), *self._headers.values()]
        self._redactor, self._lock = Redactor(self._secrets), Lock()
        self._ending = Ending(stopped)
        self.pace = Pace(limits, self._ending, first_pause)
        self._pool = Pool(guard, limits.connect, limits.silence)
        oauth = auth.oauth2 if auth else None
        self._tokens = Tokens(oauth, self._patiently, self._hide, self.show) if oauth else None

    def close(self) -> None:
        """Give up every request that is under way."""
        self._ending.set()
        self._pool.close()

    # ------------------------------------------------------------ what may be shown
    def _hide(self, secret: str) -> None:
        with self._lock:
            self._secrets.append(secret)
            self._redactor = Redactor(self._secrets)

    def show(self, text: str) -> str:
        """Return the text without anything secret."""
        return self._redactor(text)

    def bare(self, url: str) -> str:
        """Return a URL without the parameters that say who is asking."""
        return without_parameters(url, self._auth.parameters() if self._auth else {})

    # ------------------------------------------------------------ asking
    def fetch(self, request: Request) -> Answer:
        """Ask until there is an answer that repeating would not change; it may say no.

        Raises SourceError LG-201, LG-202, LG-211, Spent, Stopped.
        """
        token = self._tokens.token() if self._tokens else None
        answer = self._patiently(request, token)
        if answer.status == 401 and self._tokens:
            answer = self._patiently(request, self._tokens.token(refused=token))
        return answer

    def _patiently(self, request: Request, token: str | None = None) -> Answer:
        trouble = Trouble("it was not asked")
        for attempt in range(self._limits.retries + 1):
            try:
                return self._followed(request, token)
            except Trouble as found:
                trouble = found
            if trouble.wait is not None and trouble.wait > self._limits.longest_wait:
                raise self._failed(request, f"{trouble}; it wants to be asked again in {trouble.wait:,.0f} s")
            if attempt < self._limits.retries:
                self.pace.pause(attempt, trouble.wait)
        raise self._failed(request, str(trouble))

    def _failed(self, request: Request, why: str) -> SourceError:
        hint = f"asked {self._limits.retries + 1} times; run again to go on" if self._limits.retries else "run again"
        return SourceError("LG-201", self.show(f"{self._named(request)}: {why}"), hint=hint, retry=True)

    def _followed(self, request: Request, token: str | None) -> Answer:
        """Ask, and follow where the server points, as long as that is safe."""
        for _ in range(_HOPS + 1):
            answer = self._asked(request, token)
            if answer.status not in _REDIRECTS or not answer.header("Location"):
                return self._judged(answer)
            request = self._redirected(request, answer)
        raise self.refused(request, f"it redirects more than {_HOPS} times")

    def _redirected(self, request: Request, answer: Answer) -> Request:
        target = joined(request.url, answer.header("Location"))
        if request.method != "GET" and answer.status not in (307, 308):
            raise self.refused(request, f"it answers {request.method} with a redirect", "correct `url:` or `path:`")
        if self._tokens and request.headers.get("Content-Type") == "application/x-www-form-urlencoded":
            raise self.refused(request, "it redirects a request for a token", "correct `token_url:`")
        self.guarded(request, target)
        return replace(request, url=target)

    def guarded(self, request: Request, target: str) -> None:
        """Refuse a link that would carry a secret away, or leave encryption. Raises SourceError LG-202, LG-211."""
        try:
            there, here = Address.parse(target), Address.parse(request.url)
        except ValueError as error:
            raise self.refused(request, f"it points to a URL that cannot be used: {error}") from None
        if here.scheme == "https" and there.scheme == "http":
            raise self.refused(request, f"it points from https to http ({there.host})")
        if there.origin != self._home and self.show(target) != target:
            raise self.refused(request, f"it points to {there.host} with a credential in the URL")

    def refused(self, request: Request, why: str, hint: str = "ask its owner, or correct `url:`") -> SourceError:
        """Make the error of an answer that is not to be used."""
        return SourceError("LG-202", self.show(f"{self._named(request)}: {why}"), hint=hint)

    def _named(self, request: Request) -> str:
        return request.name or self.bare(request.url)

    def _asked(self, request: Request, token: str | None) -> Answer:
        """Ask once. Raises Trouble for what may heal."""
        plain, headers = request.url, {"Accept-Encoding": "gzip, deflate", "User-Agent": "lagoa"}
        try:
            address = Address.parse(request.url)
        except ValueError as error:
            raise self.refused(replace(request, name="url"), str(error)) from None
        if address.origin == self._home:
            headers |= self._headers | (self._auth.headers(token) if self._auth else {})
            if self._auth and self._auth.query:
                request = replace(request, url=with_parameters(request.url, self._auth.parameters()))
        headers |= request.headers
        self.pace.ask()
        try:
            answer = self._exchanged(address, request, headers)
        except Stale:
            answer = self._exchanged(address, request, headers, fresh=True)
        answer.url = plain
        return answer

    def _exchanged(self, address: Address, request: Request, headers: dict[str, str], fresh: bool = False) -> Answer:
        connection = self._pool.take(address, fresh)
        late = Trouble(f"no whole answer came within {self._limits.total:g} s")
        patience = Patience(self._ending, self._limits.total, lambda: late)
        try:
            answer = call(partial(exchange, connection, request, headers, self._limits.page), patience)
        except BaseException as error:  # noqa: BLE001  # explained, and raised again
            self._pool.drop(connection)
            raise self._explained(error, request) from None
        self._pool.give(connection)
        self.pace.took(answer.received)
        return answer

    def _explained(self, error: BaseException, request: Request) -> BaseException:
        """Say what went wrong on the line, in words."""
        if self._ending.is_set():
            return Stopped("LG-503", "the run was stopped")
        if isinstance(error, Unusable):
            said = f"the body {error}"
            return Trouble(said) if error.again else self.refused(request, said, "see `page_bytes:`")
        if isinstance(error, ssl.SSLCertVerificationError):
            return SourceError(
                "LG-201",
                f"{self._named(request)}: its certificate is not to be trusted: {error.verify_message}",
                hint="name the host as its certificate does; SSL_CERT_FILE names other authorities",
            )
        if isinstance(error, TimeoutError):
            return Trouble(f"the server was silent for {self._limits.silence:g} s")
        if isinstance(error, HTTPException) and not isinstance(error, OSError):
            return Trouble(f"the answer is no whole HTTP ({type(error).__name__})")
        if isinstance(error, ValueError):  # its own words repeat the header
            return self.refused(request, "a header or the path holds a character that HTTP does not allow")
        if isinstance(error, OSError):
            return Trouble(error.strerror or str(error) or "the connection was closed")
        return error

    def _judged(self, answer: Answer) -> Answer:
        if answer.status in _REPEATED:
            wait = told_to_wait(answer.headers)
            raise Trouble(f"status {answer.status}{self.words(answer)}", wait)
        return answer

    def words(self, answer: Answer) -> str:
        """Repeat a little of what an answer says about itself, when it is text."""
        kind = answer.header("Content-Type").lower()
        if "json" not in kind and "text/plain" not in kind:
            return ""
        # hidden first: a cut secret is not found any more
        text = " ".join(self.show(answer.body.decode("utf-8", "replace")).split())
        return f": {''.join(c for c in text if c.isprintable())[:_SAID]}" if text else ""
