"""References: ${env:X}, ${secret:x}, and that a secret is never where it could be seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lagoa.errors import ProjectErrors
from lagoa.project.load import load
from lagoa.project.refer import References
from lagoa.project.render import render
from lagoa.project.yaml import read
from lagoa.spec.secret import Secret

Write = Callable[..., Path]
CANARY = "c4n4ry-hunter2"
POSTGRES = "type: postgres\nconnection: {}\nstreams:\n  orders: {{table: public.orders}}\n"
NOTHING = {"sources/erp.yml": None, "models/silver/orders.sql": None, "models/gold/revenue.sql": None}


def _resolved(text: str, **environ: str) -> object:
    value, errors = References(environ).resolve(read(f"key: {text}", "f.yml"))
    assert not errors
    return value["key"]


def test_a_variable_takes_the_place_of_its_reference() -> None:
    assert _resolved("a/${env:X}/b", X="x") == "a/x/b"
    assert _resolved("${env:X:-d}", X="") == "d"
    assert _resolved("${env:X:-}") == ""
    assert _resolved("${env:X:-http://h:1/p}") == "http://h:1/p"


def test_two_dollars_are_one() -> None:
    assert _resolved("$${env:X} costs $5") == "${env:X} costs $5"


def test_text_that_holds_a_secret_is_a_secret() -> None:
    assert _resolved("a:${secret:pw}@h", PW=CANARY) == Secret(f"a:{CANARY}@h")
    assert repr(_resolved("${secret:pw}", PW=CANARY)) == "***"


def test_the_longer_variable_wins() -> None:
    assert _resolved("${secret:erp-url}", LAGOA_SECRET_ERP_URL="a", ERP_URL="b") == Secret("a")


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "erp_url").write_text(f"{CANARY}\n")
    assert _resolved("${secret:erp_url}", LAGOA_SECRETS_DIR=str(tmp_path)) == Secret(CANARY)
    assert _resolved("${secret:erp_url}", LAGOA_SECRETS_DIR=str(tmp_path), ERP_URL="env") == Secret("env")


def test_every_place_that_was_looked_in_is_named_in_order(tmp_path: Path) -> None:
    references = References({"LAGOA_SECRETS_DIR": str(tmp_path)})
    _, [error] = references.resolve(read("a: 1\nkey: ${secret:erp_url}", "f.yml"))
    assert (error.code, str(error.place)) == ("LG-113", "f.yml:2:6")
    places = ["LAGOA_SECRET_ERP_URL", " ERP_URL", ".env", str(tmp_path / "erp_url"), "/run/secrets/erp_url"]
    found = [error.message.index(place) for place in places]
    assert found == sorted(found)


@pytest.mark.parametrize("text", ["${ENV_NAME}", "${vault:x}", "${secret:x:-default}", "${env:MISSING}"])
def test_what_is_no_reference_is_told(text: str) -> None:
    _, [error] = References({}).resolve(read(f"key: {text}", "f.yml"))
    assert error.code == "LG-113"
    assert error.hint


def test_every_secret_of_a_project_is_known_so_that_it_can_be_hidden(write: Write) -> None:
    root = write({**NOTHING, "sources/shop.yml": POSTGRES.format("${secret:url}")})
    project = load(root, None, {"URL": f"postgres://u:{CANARY}%40@h/db"})
    assert {f"postgres://u:{CANARY}%40@h/db", f"{CANARY}%40", f"{CANARY}@"} <= set(project.secrets)
    assert CANARY not in repr(project)


def test_a_secret_written_into_the_file_is_known_too(write: Write) -> None:
    root = write({**NOTHING, "sources/shop.yml": POSTGRES.format(f"host=h password={CANARY} user=u")})
    assert CANARY in load(root, None, {}).secrets


def test_a_secret_may_not_stand_where_it_would_be_seen(write: Write) -> None:
    source = POSTGRES.format("${secret:url}") + "description: ${secret:url}\n"
    with pytest.raises(ProjectErrors) as caught:
        load(write({**NOTHING, "sources/shop.yml": source}), None, {"URL": CANARY})
    [error] = caught.value.errors
    assert (error.code, str(error.place)) == ("LG-113", "sources/shop.yml:5:14")
    assert CANARY not in render(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        f"conection: postgres://u:{CANARY}@h/db\n",
        f"connection: postgres://u:{CANARY}@h/db\nconnection: b\n",
        f"connection: [{CANARY}]\n",
        f"connection: {{password: {CANARY}}}\n",
        f"password: {CANARY}\n",
        f"connection: postgres://u:{CANARY}@h/db: x\n",
        f"\tconnection: {CANARY}\n",
    ],
)
def test_no_error_shows_a_secret_of_the_line_that_is_wrong(write: Write, wrong: str) -> None:
    text = "type: postgres\n" + wrong + "streams:\n  orders: {table: public.orders}\n"
    with pytest.raises(ProjectErrors) as caught:
        load(write({**NOTHING, "sources/shop.yml": text}), None, {})
    assert CANARY not in render(caught.value)


def test_a_header_takes_no_reference(write: Write) -> None:
    with pytest.raises(ProjectErrors) as caught:
        load(write({"models/gold/v.sql": "/*\ndescription: ${env:HOME}\n*/\nselect 1 as a"}), None, {"HOME": "x"})
    assert (caught.value.code, str(caught.value.place)) == ("LG-113", "models/gold/v.sql:2:14")
