"""Credentials stay with their server, private addresses are not asked, and nothing secret is ever said."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from lagoa.errors import SourceError
from lagoa.kit.http.guard import Guard, kind_of
from lagoa.kit.http.url import Address, segment, under, with_parameters, without_parameters
from lagoa.ports import Reading
from lagoa.testing.web import Asked, Reply, Web

from .conftest import Read, refusal, rest

CANARY = "canary-7f3a/9+x=y"
KINDS: dict[str, dict[str, Any]] = {
    "bearer": {"bearer": CANARY},
    "basic": {"basic": {"user": "ana", "password": CANARY}},
    "header": {"api_key": CANARY, "header": "X-Api-Key"},
    "query": {"api_key": CANARY, "query": "key"},
}


@pytest.fixture
def other() -> Iterator[Web]:
    with Web() as other:
        yield other


def carries(asked: Asked) -> bool:
    """Say whether a request has the canary, in any of its spellings."""
    from lagoa.kit.redact import Redactor

    text = json.dumps([dict(asked.headers), dict(asked.query)])
    return Redactor([CANARY, f"ana:{CANARY}"])(text) != text


# ---------------------------------------------------------------- credentials
@pytest.mark.parametrize("kind", list(KINDS))
def test_credentials_are_sent_to_the_source(web: Web, read: Read, kind: str) -> None:
    web.route("/rows", lambda a: [{"id": 1}] if carries(a) else Reply({"message": "who?"}, 401))
    assert len(read(rest(web, auth=KINDS[kind])).rows) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", list(KINDS))
def test_credentials_follow_no_redirect_to_another_host(
    web: Web, other: Web, read: Read, kind: str, status: int
) -> None:
    web.route("/rows", lambda _: Reply(status=status, headers={"Location": f"{other.url}/rows"}))
    other.route("/rows", lambda _: [{"id": 1}])
    assert len(read(rest(web, auth=KINDS[kind], headers={"X-More": CANARY})).rows) == 1
    assert [carries(a) for a in web.asked] == [True]
    assert [carries(a) for a in other.asked] == [False]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("by", ["next", "link"])
def test_credentials_follow_no_next_link_to_another_host(web: Web, other: Web, read: Read, kind: str, by: str) -> None:
    there = f"{other.url}/rows?page=2"
    web.route("/rows", lambda _: Reply({"d": [{"id": 1}], "next": there}, headers={"Link": f'<{there}>; rel="next"'}))
    other.route("/rows", lambda _: {"d": [{"id": 2}]})
    paging = {"by": by, **({"next": "$.next"} if by == "next" else {})}
    assert len(read(rest(web, auth=KINDS[kind], records="$.d", paging=paging)).rows) == 2
    assert [carries(a) for a in other.asked] == [False]


def test_a_link_that_carries_the_key_away_is_refused(web: Web, other: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: Reply(status=302, headers={"Location": f"{other.url}/rows?k={a.query['key']}"}))
    error = refusal(rest(web, auth=KINDS["query"]), tmp_path)
    assert "with a credential in the URL" in error.message
    assert CANARY not in error.message
    assert other.asked == []


def test_a_key_in_the_next_url_of_the_server_itself_is_sent_once_and_kept_nowhere(web: Web, read: Read) -> None:
    def answer(asked: Asked) -> Any:
        n = int(asked.query.get("n", 0))
        key = with_parameters("", {"key": asked.query["key"]})
        return {"d": [{"id": n}], "next": f"/rows{key}&n={n + 1}" if n < 150 else None}

    web.route("/rows", answer)
    source = rest(
        web,
        auth=KINDS["query"],
        records="$.d",
        paging={"by": "next", "next": "$.next"},
        mode="merge",
        key="id",
        max_requests=120,
    )
    landed = read(source)
    assert landed.cursor["sweep"]["at"]["url"] == f"{web.url}/rows?n=120"
    assert CANARY not in repr(landed)
    assert len(read(source, since=landed.cursor).rows) == 31


def test_a_redirect_from_https_to_http_is_refused() -> None:
    from lagoa.kit.http.client import Client
    from lagoa.kit.http.exchange import Request
    from lagoa.kit.http.limits import Limits

    client = Client("https://api.example.com", Guard(), Limits(), Event())
    with pytest.raises(SourceError, match="from https to http"):
        client.guarded(Request("https://api.example.com/a"), "http://api.example.com/b")


@pytest.mark.parametrize("where", ["file:///etc/passwd", "gopher://x/", "ftp://x/y", "http://", "http://a b/", "//"])
def test_links_elsewhere_than_to_http_are_refused(web: Web, tmp_path: Path, where: str) -> None:
    web.route("/rows", lambda _: Reply(status=302, headers={"Location": where}))
    error = refusal(rest(web), tmp_path)
    assert error.code == "LG-202"


def test_redirects_end(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda a: Reply(status=302, headers={"Location": f"/rows?n={a.nth}"}))
    assert "redirects more than 5 times" in refusal(rest(web), tmp_path).message
    assert len(web.asked) == 6


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_secret_is_in_an_error_that_repeats_the_servers_words(web: Web, tmp_path: Path, kind: str) -> None:
    for status in (200, 400, 401, 403, 500):

        def answer(asked: Asked, status: int = status) -> Reply:
            said = {"error": f"no {CANARY}", "headers": dict(asked.headers), "query": dict(asked.query)}
            return Reply(said, status)

        web.route("/rows", answer)
        error = refusal(rest(web, auth=KINDS[kind]), tmp_path)
        text = f"{error}{error.hint}"
        assert "***" in text
        assert CANARY not in text
        assert CANARY.split("/")[0] not in text


def test_urls_with_a_user_or_another_scheme_are_refused(web: Web) -> None:
    for url in ("http://ana:secret1@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://a\nb/"):
        with pytest.raises(ValueError, match="url: ") as caught:
            rest(web, url=url)
        assert "secret1" not in str(caught.value)


def test_a_path_leads_to_no_other_server(web: Web) -> None:
    for path in ("https://evil.example/x", "/../admin", "a/../../b"):
        with pytest.raises(ValueError, match="path: "):
            rest(web, path=path)


@pytest.mark.parametrize("value", ["../../admin", "a/b", "..", ".", "x?y=1", "x#y", "%2e%2e", "ç ã", "a\r\nX: y"])
def test_a_parents_value_is_one_segment_of_a_path_whatever_it_holds(web: Web, read: Read, value: str) -> None:
    from urllib.parse import unquote

    web.route("/a", lambda _: [{"id": value}])
    web.route("/a/*", lambda a: [{"path": a.path, "query": len(a.query)}])
    landed = read(rest(web, streams={"a": {"path": "/a"}, "b": {"path": "/a/{a.id}/b"}}), "b")
    asked = landed.rows[0]["path"]
    assert asked.count("/") == 3
    assert unquote(asked) == f"/a/{value}/b"
    assert landed.rows[0]["query"] == 0


# ---------------------------------------------------------------- OAuth2
def oauth(web: Web, life: int = 3600, **more: Any) -> dict[str, Any]:
    said = {"token_url": f"{web.url}/token", "client_id": "lagoa", "client_secret": CANARY, **more}
    web.route("/token", lambda a: {"access_token": f"token-canary-{a.nth}", "expires_in": life})
    return {"oauth2": said}


def test_a_token_is_asked_for_once_and_used(web: Web, read: Read) -> None:
    auth = oauth(web, scope="read all")
    web.route("/rows", lambda a: [{"id": int(a.query["page"])}] if int(a.query["page"]) < 6 else [])
    assert len(read(rest(web, auth=auth, paging={"by": "page"})).rows) == 5
    tokens = [a for a in web.asked if a.path == "/token"]
    assert len(tokens) == 1
    assert tokens[0].body == b"grant_type=client_credentials&scope=read+all"
    assert tokens[0].headers["Authorization"].startswith("Basic ")
    assert {a.headers["Authorization"] for a in web.asked if a.path == "/rows"} == {"Bearer token-canary-0"}


def test_a_client_may_say_who_it_is_in_the_body_and_bring_a_refresh_token(web: Web, read: Read) -> None:
    auth = oauth(web, send="body", refresh_token="refresh-1")
    web.route("/rows", lambda _: [{"id": 1}])
    read(rest(web, auth=auth))
    assert b"grant_type=refresh_token&refresh_token=refresh-1&client_id=lagoa&client_secret=" in web.asked[0].body


def test_a_token_is_renewed_before_it_ends(web: Web, read: Read) -> None:
    auth = oauth(web, life=1)

    def answer(asked: Asked) -> Any:
        time.sleep(0.35)
        return [{"id": asked.nth}] if int(asked.query["page"]) < 6 else []

    web.route("/rows", answer)
    read(rest(web, auth=auth, paging={"by": "page"}, parallel=1))
    assert len([a for a in web.asked if a.path == "/token"]) > 1
    assert len({a.headers["Authorization"] for a in web.asked if a.path == "/rows"}) > 1


def test_a_refused_token_is_renewed_once(web: Web, read: Read, tmp_path: Path) -> None:
    auth = oauth(web)
    ended = {"Bearer token-canary-0"}
    web.route("/rows", lambda a: Reply({}, 401) if a.headers["Authorization"] in ended else [{"id": 1}])
    assert len(read(rest(web, auth=auth)).rows) == 1
    web.route("/rows", lambda a: Reply({"error": a.headers["Authorization"]}, 401))
    error = refusal(rest(web, auth=auth), tmp_path)
    assert error.code == "LG-201"
    assert "canary" not in error.message
    assert "***" in error.message


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": "invalid_client", "error_description": CANARY}, 401),
        Reply(b"<html>", headers={"Content-Type": "text/html"}),
        Reply([]),
        Reply({"access_token": None}),
        Reply(status=307, headers={"Location": "/elsewhere"}),
    ],
)
def test_a_server_that_gives_no_token_is_told(web: Web, tmp_path: Path, reply: Reply) -> None:
    auth = oauth(web)
    web.route("/token", lambda _: reply)
    error = refusal(rest(web, auth=auth), tmp_path)
    assert error.code in ("LG-201", "LG-202")
    assert CANARY not in error.message


@pytest.mark.parametrize(
    "said", [{}, {"bearer": "a", "api_key": "b", "header": "c"}, {"api_key": "a"}, {"bearer": "a", "header": "b"}]
)
def test_auth_says_one_way(web: Web, said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"say one|goes with"):
        rest(web, auth=said)


# ---------------------------------------------------------------- addresses
@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "private"),
        ("127.9.9.9", "private"),
        ("0.0.0.0", "private"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("224.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("::1", "private"),
        ("::", "private"),
        ("fc00::1", "private"),
        ("::ffff:127.0.0.1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "private"),
        ("2002:7f00:1::", "private"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("8.8.8.8", None),
        ("2606:4700::1111", None),
        ("64:ff9b::808:808", None),
    ],
)
def test_addresses_are_told_apart(address: str, kind: str | None) -> None:
    assert kind_of(address) == kind


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "[::1]"])
def test_this_machine_is_not_asked_however_it_is_spelled(web: Web, tmp_path: Path, host: str) -> None:
    web.route("/rows", lambda _: [{"id": 1}])
    error = refusal(rest(web, url=f"http://{host}:{web.port}", allow_private=False), tmp_path)
    assert error.code in ("LG-211", "LG-201")
    assert web.asked == []


def test_metadata_is_not_asked_when_a_server_points_there(web: Web, tmp_path: Path) -> None:
    web.route("/rows", lambda _: Reply(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}))
    error = refusal(rest(web), tmp_path)
    assert error.code == "LG-211"
    assert "metadata address" in error.message


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(
    web: Web, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time changes nothing: nobody asks it a second time."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if asked.count(host) == 1 else "127.0.0.2", port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    web.route("/rows", lambda _: [{"id": 1}])
    assert len(read(rest(web, url=f"http://rebinding.example:{web.port}")).rows) == 1
    assert asked == ["rebinding.example"]


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(SourceError, match=r"10\.0\.0\.1"):
        Guard().addresses("two.example", 80)


# ---------------------------------------------------------------- URLs
def test_urls_are_taken_apart_and_put_together() -> None:
    assert Address.parse("https://Ação.Example/ç?x=ã").host == "xn--ao-siap.example"
    assert Address.parse("http://h:8080/a%20b?x=%C3%A3").target == "/a%20b?x=%C3%A3"
    assert under("https://h/v1/?z=1", "/rows") == "https://h/v1/rows"
    assert with_parameters("https://h/?a=1&b=%20", {"a": "2 3"}) == "https://h/?b=%20&a=2+3"
    assert without_parameters("https://h/?a=1&key=x&b=", ["key"]) == "https://h/?a=1&b="
    assert segment("..") == "%2E%2E"


def test_a_mark_that_repeats_a_secret_is_kept_in_no_state(web: Web, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Any:
        n = int(asked.query.get("cursor", "0-").partition("-")[0])
        return {"d": [{"id": n}], "next": f"{n + 1}-{CANARY}" if n < 250 else None}

    web.route("/rows", answer)
    paging = {"by": "cursor", "next": "$.next"}
    source = rest(web, auth=KINDS["bearer"], records="$.d", paging=paging, mode="merge", key="id")
    states = []
    for batch in source.read(Reading("rows", None, tmp_path, tmp_path, "bronze.x")):
        list(batch.portions)
        states.append(batch.cursor())
    assert states == [{"cursor": None}]
