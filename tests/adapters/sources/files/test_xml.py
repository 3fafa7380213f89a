"""XML: records by their path, attributes, lists, and nothing that a document could do to its reader."""

from __future__ import annotations

import io
import time
import tracemalloc
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lagoa.errors import SourceError

Load = Callable[..., Any]
Put = Callable[[str, bytes | str], Path]
NOTES = """<?xml version="1.0" encoding="UTF-8"?>
<!-- vendas -->
<ns:pedidos xmlns:ns="urn:x" xmlns="urn:y" versao="4">
  <pedido id="1" ns:canal="loja">
    <cliente uf="SP">João &amp; Zoë &#233;</cliente>
    <item sku="A"><qtd>2</qtd></item>
    <item sku="B"><qtd>1</qtd></item>
    <obs><![CDATA[<b>frágil</b>]]></obs>
    <vazio/>
  </pedido>
  <pedido id="2">
    <cliente>Ana</cliente>
    <item sku="C"/>
  </pedido>
</ns:pedidos>
"""


def test_records_stand_at_a_path_or_below_the_root(load: Load, put: Put) -> None:
    put("x.xml", NOTES)
    loaded = load({"path": "x.xml"})
    assert loaded.reasons() == []
    first, second = loaded.rows
    assert first == {
        "id": "1",
        "canal": "loja",
        "cliente": {"uf": "SP", "value": "João & Zoë é"},
        "item": [{"sku": "A", "qtd": "2"}, {"sku": "B", "qtd": "1"}],
        "obs": "<b>frágil</b>",
        "vazio": None,
        "_source": "x.xml:4",
    }
    assert (second["cliente"], second["item"]) == ({"uf": None, "value": "Ana"}, [{"sku": "C", "qtd": None}])
    assert (second["obs"], second["_source"]) == (None, "x.xml:11")
    assert load({"path": "x.xml", "records": "$.pedidos.pedido"}).rows == loaded.rows
    deep = load({"path": "x.xml", "records": "$.pedidos.pedido.item"})
    assert [(r["sku"], r["qtd"], r["_source"]) for r in deep.rows] == [
        ("A", "2", "x.xml:6"),
        ("B", "1", "x.xml:7"),
        ("C", None, "x.xml:13"),
    ]


def test_columns_may_be_declared_renamed_and_dropped(load: Load, put: Put) -> None:
    put("x.xml", "<r><i id='1'><v>1.5</v><s>secret</s></i>\n<i id='2'><v>muito</v><s>secret</s></i></r>")
    columns = {"nr": {"type": "bigint"}, "v": {"type": "decimal(5, 2)"}, "s": {"drop": True}}
    loaded = load({"path": "x.xml", "columns": columns, "rename": {"id": "nr"}})
    assert [(r["nr"], str(r["v"])) for r in loaded.rows] == [(1, "1.50")]
    assert loaded.reasons() == ['x.xml:2 v: "muito" is not a decimal(5, 2)']
    assert "secret" not in str([loaded.rows, loaded.refused])


def test_files_have_one_schema_and_an_attribute_called_like_a_child_keeps_its_mark(load: Load, put: Put) -> None:
    put("1.xml", "<r><i><a>1</a><b><x id='1'><id>2</id></x></b></i></r>")
    put("2.xml", "<r><i><a>1</a><a>2</a></i></r>")
    loaded = load({"path": "*.xml"})
    assert loaded.column("a") == [["1"], ["1", "2"]]
    assert loaded.column("b")[0] == {"x": {"@id": "1", "id": "2"}}
    put("3.xml", "<r><i a='1'><a>2</a></i></r>")
    with pytest.raises(SourceError, match="would both be called `a`"):
        load({"path": "3.xml"})
    assert load({"path": "3.xml", "rename": {"@a": "a_attr"}}).rows == [{"a_attr": "1", "a": "2", "_source": "3.xml:1"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_document_tells_its_encoding(load: Load, put: Put, encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    put("x.xml", f"<?xml version='1.0' encoding='{name}'?><r><i><a>ação</a></i></r>".encode(encoding))
    assert load({"path": "x.xml"}).column("a") == ["ação"]


def test_an_encoding_that_is_given_wins(load: Load, put: Put) -> None:
    put("x.xml", "<r><i><a>ação</a></i></r>".encode("latin-1"))
    assert load({"path": "x.xml", "encoding": "latin-1"}).column("a") == ["ação"]
    assert load({"path": "x.xml"}).rows == []


BROKEN = {
    "torn": ("<r><i><a>1</a></i>\n<i><a>2", "x.xml:2 it is not well-formed XML: no element found"),
    "mismatched": ("<r><i><a>1</a></i>\n<i></a></r>", "x.xml:2 it is not well-formed XML: mismatched tag"),
    "bare &": ("<r><i><a>1 & 2</a></i></r>", "x.xml:1 it is not well-formed XML: not well-formed (invalid token)"),
    "more after it": ("<r/>\n<r/>", "x.xml:2 it is not well-formed XML: junk after document element"),
    "empty": ("", "x.xml:1 it is not well-formed XML: no element found"),
    "entity": ("<r><i>&x;</i></r>", "x.xml:1 it is not well-formed XML: undefined entity"),
    "unknown encoding": ("<?xml version='1.0' encoding='nope'?><r/>", "x.xml:1 its encoding is not known"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_document_that_is_not_well_formed_is_refused_as_a_whole(load: Load, put: Put, kind: str) -> None:
    text, reason = BROKEN[kind]
    put("x.xml", text)
    put("y.xml", "<r><i><a>3</a></i></r>")
    loaded = load({"path": "*.xml"})
    assert loaded.column("a") == ["3"]
    assert [r.startswith(reason) for r in loaded.reasons()] == [True], loaded.reasons()
    assert set(loaded.cursor) == {"x.xml", "y.xml"}


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "dtd",
    [
        f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE r [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
    ids=["laughs", "file", "address"],
)
def test_entities_neither_grow_nor_read(load: Load, put: Put, dtd: str) -> None:
    put("x.xml", f"{dtd}<r><i><a>&l9;</a></i></r>")
    began = time.monotonic()
    loaded = load({"path": "x.xml"})
    assert time.monotonic() - began < 5
    assert (loaded.rows, len(loaded.rejects)) == ([], 1)
    assert "document type (DTD), which is refused" in loaded.rejects[0].reason


def test_what_is_nested_too_deeply_is_refused(load: Load, put: Put) -> None:
    put("x.xml", "<r>" + "<a>" * 100_000 + "</a>" * 100_000 + "</r>")
    assert load({"path": "x.xml"}).reasons() == ["x.xml:1 it is nested too deeply"]


def test_a_path_at_which_nothing_stands_is_told(load: Load, put: Put) -> None:
    put("x.xml", NOTES)
    assert load({"path": "x.xml", "records": "$.pedidos.nota"}).rows == []
    assert load({"path": "x.xml", "records": "$.nada.nota"}).reasons() == ["x.xml:1 nothing stands at $.nada.nota"]


def test_a_large_document_is_never_held_as_a_whole(load: Load, put: Put) -> None:
    from lagoa.kit.bundle import Noted
    from lagoa.kit.landing import Found
    from lagoa.kit.pieces import Scratch
    from lagoa.kit.xml.records import XmlRecords

    path = put("x.xml", "<r>" + "".join(f"<i id='{n}'><name>name of {n}</name></i>\n" for n in range(300_000)) + "</r>")
    found = Found(path, "x.xml", path.stat().st_size)
    records = XmlRecords(Scratch(path.parent), Noted(), lambda _: [], True)
    tracemalloc.start()
    count = sum(1 for _ in records._elements(found))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 4 << 20) == (300_000, True)


TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"]), min_size=1, max_size=6
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"a": TEXT, "b": TEXT, "list": st.lists(TEXT, min_size=2, max_size=3), "at": TEXT}
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
def test_random_records_are_read_as_they_were_written(load: Load, put: Put, records: list[dict[str, Any]]) -> None:
    root = ET.Element("root")
    for record in records:
        element = ET.SubElement(root, "record", {"nr": "1", **({"at": record["at"]} if "at" in record else {})})
        for name in ("a", "b"):
            if name in record:
                ET.SubElement(element, name).text = record[name]
        for text in record.get("list", []):
            ET.SubElement(element, "list").text = text
    into = io.BytesIO()
    ET.ElementTree(root).write(into, encoding="utf-8", xml_declaration=True)
    put("x.xml", into.getvalue())
    loaded = load({"path": "x.xml"})
    assert loaded.reasons() == []
    for row, record in zip(loaded.rows, records, strict=True):
        assert {k: v for k, v in row.items() if v is not None and k not in ("nr", "_source")} == record
