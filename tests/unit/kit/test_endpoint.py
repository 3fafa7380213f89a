"""Connection URIs: whatever the password is, it reaches the driver whole and no message at all."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagoa.kit.endpoint import Endpoint
from lagoa.spec.secret import Secret

SCHEMES = ("postgresql", "postgres")
CANARY = "c4n@ry:/p?w#d%+é'\"\\"


def parse(text: str) -> Endpoint:
    return Endpoint.parse(Secret(text), SCHEMES)


@given(password=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_an_encoded_password_reaches_the_driver_whole(password: str) -> None:
    endpoint = parse(f"postgresql://boss:{quote(password, safe='')}@db.example:5433/erp")
    assert endpoint.password == password
    split = urlsplit(endpoint.uri({}))
    assert (unquote(split.password or ""), split.hostname, split.port) == (password, "db.example", 5433)


@given(password=st.text(min_size=4, alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_no_message_shows_the_password_in_any_spelling(password: str) -> None:
    endpoint = parse(f"postgresql://b:{quote(password, safe='')}@h/d")
    for spelled in (password, quote(password), quote(password, safe="")):
        assert password not in endpoint.redact(f"failed for {spelled}!") or password in "failed for ***!"


@pytest.mark.parametrize("shown", [repr, str])
def test_an_endpoint_shows_where_and_who_but_no_password(shown: object) -> None:
    endpoint = parse(f"postgres://boss:{quote(CANARY, safe='')}@[::1]:5432/erp?sslpassword=hush&password=hush2")
    assert callable(shown)
    text = shown(endpoint)
    assert [s for s in ("c4n", "hush", quote(CANARY, safe="")) if s in text] == []
    assert "[::1]:5432" in text


def test_an_at_sign_in_the_password_needs_no_code() -> None:
    endpoint = parse("postgresql://boss:p@ss@h/d")
    assert (endpoint.user, endpoint.password, endpoint.hosts) == ("boss", "p@ss", "h")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host=h password=hush-hush",
        "mysql://boss:hush-hush@h/d",
        "postgresql://boss:hush-hush/more@h/d",
        "postgresql://boss:hush-hush?more@h/d",
        "postgresql://boss:hush-hush",
        "postgresql://h:hush-hush/d",
    ],
)
def test_what_does_not_parse_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"URI|password") as caught:
        parse(text)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://", "localhost/"),
        ("postgresql:///erp?host=/run/postgresql", "/run/postgresql/erp"),
        ("postgresql://a:1,b:2/erp?target_session_attrs=any", "a:1,b:2/erp"),
        ("postgresql://boss@h/erp", "h/erp as boss"),
    ],
)
def test_every_form_of_uri_that_libpq_takes_is_understood(text: str, shown: str) -> None:
    assert str(parse(text)) == shown


def test_the_users_options_win_over_ours() -> None:
    uri = parse("postgresql://h/d?connect_timeout=3&sslmode=require").uri({"connect_timeout": "10", "keepalives": "1"})
    assert uri == "postgresql://h/d?connect_timeout=3&keepalives=1&sslmode=require"


def test_a_short_password_hides_whole_words_only() -> None:
    assert parse("postgresql://a:to@h/d").redact("to connect to, tomorrow") == "*** connect ***, tomorrow"
