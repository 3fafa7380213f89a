"""Every spelling in which a secret may come back is hidden."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lagoa.kit.redact import Redactor

CANARY = 'p@ss/w"ör d\\1+'


@pytest.mark.parametrize(
    "spelled",
    [
        CANARY,
        quote(CANARY),
        quote(CANARY, safe=""),
        re.sub("%..", lambda hexed: hexed[0].lower(), quote(CANARY, safe="")),
        quote_plus(CANARY),
        json.dumps(CANARY),
        json.dumps(CANARY, ensure_ascii=False),
        repr(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_spelling(spelled: str) -> None:
    seen = Redactor([CANARY])(f"could not connect: {spelled} is wrong")
    assert "***" in seen
    assert "w%22" not in seen
    assert "ss/w" not in seen


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=40), st.binary(max_size=5))
def test_a_secret_within_base64_of_more_is_hidden(secret: str, before: bytes) -> None:
    if not secret.strip():
        return
    encoded = base64.b64encode(before + secret.encode() + b":tail").decode()
    assert Redactor([secret])(encoded) != encoded


@given(st.lists(st.text(min_size=4, max_size=12).filter(lambda s: bool(s.strip()) and "*" not in s)), st.text())
def test_no_secret_remains_in_any_text(secrets: list[str], around: str) -> None:
    text = around.join(secrets) + around
    seen = Redactor(secrets)(text)
    assert not [secret for secret in secrets if secret in seen]


def test_the_longest_secret_goes_first_so_that_no_rest_remains() -> None:
    assert Redactor(["abcd", "abcdefgh"])("x abcdefgh y abcd") == "x *** y ***"


def test_a_short_secret_is_hidden_as_a_word_only() -> None:
    assert Redactor(["abc"])("abc, abcd, password=abc") == "***, abcd, password=***"


def test_the_password_inside_a_connection_string_is_a_secret() -> None:
    redact = Redactor(["postgresql://ana:s3cr%40tword@db:5432/loja", "host=db password='hunt er2' dbname=x"])
    assert redact("FATAL: s3cr@tword and s3cr%40tword and hunt er2") == "FATAL: *** and *** and ***"


def test_a_line_of_a_key_is_a_secret() -> None:
    assert Redactor(["-----BEGIN-----\nMIIEvQIBADAN\nabc\n"])("bad key MIIEvQIBADAN") == "bad key ***"


def test_without_secrets_text_stays() -> None:
    assert Redactor([""])("a b") == "a b"


def test_it_never_shows_what_it_hides() -> None:
    assert "hunter22" not in repr(Redactor(["hunter22"]))
