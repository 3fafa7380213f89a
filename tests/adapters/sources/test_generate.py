"""The made-up bank: equal everywhere, whole in itself, wrong exactly where it says so, and told day by day."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from lagoa import registry
from lagoa.errors import SourceError
from lagoa.kit.generate import read as reading_room
from lagoa.kit.generate import window
from lagoa.kit.generate.arrivals import SPAN
from lagoa.kit.generate.names import CITIES
from lagoa.kit.generate.read import TABLES
from lagoa.ports import SOURCE, Reading, Source
from lagoa.testing.sources import Landed, Reader, SourceContract, multiset

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/generate.md"
FAULTS = {"late": "3%", "duplicated": "2%", "corrected": "4%", "deleted": "2%"}
STATES = ("customers", "accounts", "cards", "products")
EVENTS = ("transactions", "visits", "orders", "items")
HAPPENED = {"transactions": "happened_at", "visits": "visited_at", "orders": "ordered_at", "items": "ordered_at"}


def bank(**keys: Any) -> Source:
    streams = {n: {"mode": "merge", "key": TABLES[n].key} for n in STATES} | {n: {"mode": "append"} for n in EVENTS}
    given = {"seed": 7, "size": 60, "start": "2025-01-01", "until": "2025-02-15", "faults": FAULTS, "streams": streams}
    found: Source = registry.adapter("sources", "generate")(type="generate", **given | keys)
    return found


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Callable[[Source], Reader]]:
    engine = registry.adapter("engines", "duckdb")(2, "500MB", tmp_path / "engine")
    yield lambda source: Reader(source, tmp_path, engine, tmp_path / "scratch")
    engine.close()


class World:
    """All tables as they were told, or as they are, in one DuckDB."""

    def __init__(self, source: Any, tables: Any = TABLES) -> None:
        self.db = duckdb.connect(config={"threads": 2})
        for name in tables:
            batches = list(source.read(Reading(name, None, Path(), Path(), name)))
            queries = [p.rows for batch in batches for p in batch.portions]
            self.db.execute(f"create table {name} as {' union all '.join(map(str, queries))}")
            self.db.execute(f"create table true_{name} as {source.truth(name)}")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.db.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        return self.ask(sql)[0][0]


class TestGenerate(SourceContract):
    page = PAGE

    @pytest.fixture
    def source(self) -> Source:
        return bank(faults={**FAULTS, "drift": "2025-02-01"})

    @pytest.fixture
    def grow(self, source: Any) -> Callable[[str], None]:
        # time goes by; the shop's goods stay the same, so they are left out
        object.__setattr__(source, "streams", {n: s for n, s in source.streams.items() if n != "products"})
        return lambda _: object.__setattr__(source, "until", source.until + timedelta(days=150))


# ---------------------------------------------------------------- equal everywhere
GOLDEN = {
    "customers": "af5acc3970216dd7",
    "accounts": "0fd240650c364041",
    "cards": "9fdea79255ba7ea2",
    "transactions": "6d52747f26cdaea5",
    "visits": "cf15fc016ddd8b9e",
    "products": "3cab52af4c6c5a98",
    "orders": "a6862a09ada9ff09",
    "items": "cc700115ee0ae14b",
}


def digest(rows: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256("\n".join(map(repr, sorted(rows, key=repr))).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", TABLES)
def test_the_same_world_is_equal_value_by_value_on_every_machine(name: str) -> None:
    drifted = bank(faults={**FAULTS, "drift": "2025-02-01"})
    assert digest(World(drifted, [name]).ask(f"from {name}")) == GOLDEN[name]


def test_another_seed_is_another_world() -> None:
    for name in (n for n in TABLES if n != "products"):
        rows = [set(World(bank(seed=seed), [name]).ask(f"from {name}")) for seed in (7, 8)]
        assert len(rows[0] & rows[1]) < len(rows[0]) // 20, name


def test_how_the_work_is_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = World(bank())
    monkeypatch.setattr(reading_room, "PORTION", 331)
    parts = World(bank())
    for name in TABLES:
        assert digest(whole.ask(f"from {name}")) == digest(parts.ask(f"from {name}")), name


# ---------------------------------------------------------------- whole in itself
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("size", [10, 333])
def test_every_reference_holds_and_nothing_happens_before_its_time(seed: int, size: int) -> None:
    world = World(bank(seed=seed, size=size, until="2025-04-10"))
    for child, column, parent, key in (
        ("accounts", "customer_id", "customers", "customer_id"),
        ("cards", "customer_id", "customers", "customer_id"),
        ("cards", "account_id", "accounts", "account_id"),
        ("transactions", "account_id", "accounts", "account_id"),
        ("transactions", "card_id", "cards", "card_id"),
        ("visits", "customer_id", "customers", "customer_id"),
        ("orders", "customer_id", "customers", "customer_id"),
        ("items", "order_id", "orders", "order_id"),
        ("items", "product_id", "products", "product_id"),
    ):
        lost = f"from {child} c anti join {parent} p on p.{key} = c.{column} where c.{column} is not null"
        assert world.ask(lost) == [], f"{child}.{column}"
    for name in STATES:
        assert world.one(f"select count(*) - count(distinct {TABLES[name].key}) from {name}") == 0, name
    assert (
        world.one(
            "select count(*) from transactions t join accounts a using (account_id) where happened_at < opened_on"
        )
        == 0
    )
    assert (
        world.one("select count(*) from transactions t join cards c using (card_id) where happened_at < issued_on") == 0
    )
    early = "select count(*) from orders o join customers c using (customer_id) where o.ordered_at < c.created_at"
    assert world.one(early) == 0
    assert world.one("select count(*) from transactions where (kind = 'card') <> (card_id is not null)") == 0
    total = "select sum(quantity * unit_price) as s, count(*) as n, order_id from true_items group by order_id"
    assert (
        world.ask(
            f"from true_orders o left join ({total}) using (order_id) where s is distinct from total or n <> lines"
        )
        == []
    )


def check_digits(cpf: str) -> bool:
    """The rule of the Receita Federal, written apart from the SQL that makes them."""
    digits = [int(d) for d in re.sub(r"\D", "", cpf)]
    for end in (9, 10):
        rest = sum(d * w for d, w in zip(digits[:end], range(end + 1, 1, -1), strict=True)) % 11
        if digits[end] != (0 if rest < 2 else 11 - rest):
            return False
    return len(digits) == 11


def test_people_are_brazilian_and_nobody() -> None:
    world = World(bank(size=3000, faults={}), ["customers"])
    rows = world.ask("select cpf, email, phone, city, state, postal_code from customers")
    assert all(check_digits(cpf) and re.sub(r"\D", "", cpf)[0] == "9" for cpf, *_ in rows)
    assert len({re.sub(r"\D", "", cpf) for cpf, *_ in rows}) == len(rows)
    places = {(name, state): (low, low + span, area) for name, state, low, span, area in CITIES}
    for _, email, phone, city, state, postal in rows:
        low, high, area = places[city, state]
        assert low <= int(postal[:5]) <= high
        assert re.fullmatch(r"\d{5}-\d{3}", postal)
        assert email is None or re.fullmatch(r"[a-z.]+\d+@example\.(com|org|net)", email)
        assert phone is None or re.fullmatch(rf"\({area}\) 90\d{{3}}-\d{{4}}", phone)
    cities = Counter(city for *_, city, _, _ in rows)
    assert len(cities) == len(CITIES)
    assert cities.most_common(1)[0][0] == "São Paulo"


def test_some_days_are_busy_and_few_amounts_are_large() -> None:
    world = World(bank(size=500, until="2025-12-31", faults={}), ["transactions"])
    days = dict(world.ask("select happened_at::date, count(*) from transactions where kind <> 'salary' group by 1"))
    by_weekday = [sum(n for d, n in days.items() if d.weekday() == weekday) for weekday in range(7)]
    assert by_weekday[4] > by_weekday[0] > by_weekday[5] > by_weekday[6]
    assert days[date(2025, 11, 28)] > 1.5 * days[date(2025, 11, 21)]
    assert dict(
        world.ask("select day(happened_at), count(*) from transactions where kind = 'salary' group by 1")
    ).keys() == {5}
    median, top = world.ask(
        "select median(-amount), quantile_cont(-amount, 0.999) from transactions where kind = 'card'"
    )[0]
    assert top > 30 * median


# ---------------------------------------------------------------- wrong where it says so
def test_what_goes_wrong_on_the_way_goes_as_often_as_asked_and_ends_in_the_truth() -> None:
    source = bank(size=3000, until="2025-03-01")
    world = World(source)
    for name in EVENTS:
        key = TABLES[name].key
        columns, late = ", ".join(TABLES[name].columns), f"right({SOURCE}, 10)::date"
        newest = (
            f"select {columns} from {name} qualify row_number() over (partition by {key} order by updated_at desc) = 1"
        )
        true = f"select {columns} from true_{name}"
        gone = set(world.ask(f"from ({newest}) where deleted_at is not null"))
        assert set(world.ask(f"({newest}) except ({true})")) == gone, name
        assert world.ask(f"({true}) except ({newest})") == [], name
        rows = world.one(f"select count(distinct {key}) from {name}")
        assert world.one(f"select count(*) from {name} where updated_at::date > {late}") == 0
        shares = {
            "late": f"select count(distinct {key}) from {name} where updated_at::date > {HAPPENED[name]}::date",
            "deleted": f"select count(*) from {name} where deleted_at is not null",
        }
        for fault, sql in shares.items():
            assert world.one(sql) > rows * 0.012, f"{name}: {fault}"
        twice = world.one(f"select count(*) from (select {columns} from {name} group by all having count(*) = 2)")
        assert rows * 0.01 < twice < rows * 0.03
        changed = f"where deleted_at is null group by {key} having count(distinct updated_at) = 2"
        assert rows * 0.02 < world.one(f"select count(*) from (select {key} from {name} {changed})") < rows * 0.06


def test_a_cpf_that_was_typed_wrong_is_put_right_later() -> None:
    wrong = []
    for until in ("2025-01-01", "2026-01-31"):
        world = World(bank(size=2000, until=until), ["customers"])
        told = dict(world.ask("select customer_id, cpf from customers where customer_id <= 2000"))
        true = dict(world.ask("select customer_id, cpf from true_customers where customer_id <= 2000"))
        bad = {i for i in told if told[i] != true[i]}
        assert bad == {i for i, cpf in told.items() if not check_digits(cpf)}
        wrong.append(bad)
    assert 40 < len(wrong[0]) < 120
    assert wrong[1] == set()


# ---------------------------------------------------------------- told day by day
@pytest.mark.parametrize("cuts", [("2025-01-01", "2025-01-02", "2025-01-03"), ("2025-01-19", "2025-02-01")])
@pytest.mark.parametrize("name", TABLES)
def test_however_the_days_are_cut_the_same_rows_come(
    name: str, cuts: tuple[str, ...], read: Callable[[Source], Reader]
) -> None:
    whole = read(bank()).read(name)
    held = Landed()
    for until in (*cuts, "2025-02-15"):
        news = read(bank(until=until)).read(name, held.cursor)
        held = Landed(whole.schema, held.rows + news.rows, cursor=news.cursor)
    if name in STATES:
        held.rows = list({row[TABLES[name].key]: row for row in held.rows}.values())
    assert multiset(held) == multiset(whole)
    assert held.cursor == whole.cursor
    assert read(bank()).read(name, held.cursor).batches == 0


def test_a_reading_that_was_killed_after_any_batch_goes_on_there(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[Source], Reader]
) -> None:
    monkeypatch.setattr(window, "BATCH", 60)
    source = bank(until="2025-01-12")
    reader = read(source)
    whole = reader.read("transactions")
    assert whole.batches > 4
    for killed_after in range(whole.batches):
        held = Landed(whole.schema)
        batches = source.read(Reading("transactions", None, Path(), Path(), "bronze.bank_transactions"))
        for _, batch in zip(range(killed_after), batches, strict=False):
            for portion in batch.portions:
                reader.stage(portion, batch, held)
            held.cursor = batch.cursor()
        rest = reader.read("transactions", held.cursor)
        assert rest.batches == whole.batches - killed_after
        assert multiset(Landed(whole.schema, held.rows + rest.rows)) == multiset(whole)


def test_a_replace_is_one_batch(monkeypatch: pytest.MonkeyPatch, read: Callable[[Source], Reader]) -> None:
    monkeypatch.setattr(window, "BATCH", 100)
    found = read(bank(streams={"transactions": {}})).read("transactions")
    assert (found.batches, len(found.rows)) == (1, len(read(bank()).read("transactions").rows))


def test_applications_change_their_columns_on_the_day_of_the_drift(read: Callable[[Source], Reader]) -> None:
    for name, table in TABLES.items():
        told = []
        for until in ("2025-01-31", "2025-02-01"):
            found = read(bank(until=until, faults={"drift": "2025-02-01"})).read(name)
            assert found.schema is not None
            told.append({f.name: f.type for f in found.schema})
        before, after = told
        for column, kind in table.later.items():
            assert (column in after) == (kind is not None)
            assert before.get(column) != after.get(column)
        assert {n for n in {*before, *after} if before.get(n) != after.get(n)} == set(table.later)


def test_until_yesterday_when_nothing_is_said(read: Callable[[Source], Reader]) -> None:
    today = date.today()
    source = bank(start=today - timedelta(days=40), until=None)
    through = date.fromisoformat(read(source).read("visits").cursor["through"])
    assert abs((today - timedelta(days=1)) - through) <= timedelta(days=1)


def test_what_was_read_of_another_world_is_not_read_on(read: Callable[[Source], Reader]) -> None:
    cursor = read(bank()).read("visits").cursor
    changes: list[dict[str, Any]] = [{"seed": 8}, {"size": 61}, {"start": "2025-01-02"}, {"faults": {}}]
    for change in changes:
        with pytest.raises(SourceError) as caught:
            read(bank(until="2025-03-01", **change)).read("visits", cursor)
        assert caught.value.code == "LG-207"
        assert "--full" in str(caught.value.hint)
    assert read(bank(faults={**FAULTS, "drift": "2025-02-10"}, until="2025-03-01")).read("visits", cursor).rows


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"size": 9}, "greater than or equal to 10"),
        ({"until": "2024-12-31"}, "before the start"),
        ({"faults": {"late": "60%"}}, "from 0% to 50%"),
        ({"faults": {"late": "often"}}, "a share such as 1%"),
        ({"faults": {"lost": "1%"}}, "Extra inputs"),
        ({"faults": {"duplicated": "50%", "corrected": "50%", "deleted": 0.1}}, "more than all rows"),
        ({"streams": {"customer": {}}}, "did you mean `customers`"),
        ({"streams": {"x": {"table": "loans"}}}, "there are customers, accounts"),
        ({"streams": {"customers": {"columns": {"cfp": {"drop": True}}}}}, "did you mean `cpf`"),
        ({"streams": {"customers": {"mode": "merge", "key": "customer"}}}, "which `key:` names"),
        ({"streams": {"visits": {"mode": "append", "cursor": "visited_at"}}}, "only be updated_at"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(says)):
        bank(**keys)


def test_a_stream_may_have_another_name_and_leave_columns_out(read: Callable[[Source], Reader]) -> None:
    people = {"table": "customers", "columns": {"cpf": {"drop": True}, "email": {"drop": True}}}
    found = read(bank(streams={"people": people})).read("people")
    assert not {"cpf", "email"} & found.rows[0].keys()
    assert found.rows[0][SOURCE].startswith("people@")


@pytest.mark.slow
def test_millions_of_rows_are_made_in_little_memory(tmp_path: Path) -> None:
    engine = registry.adapter("engines", "duckdb")(2, "200MB", tmp_path / "engine")
    try:
        source = bank(size=50_000, until="2025-02-15")
        rows = 0
        for batch in source.read(Reading("transactions", None, tmp_path, tmp_path, "bronze.bank_transactions")):
            for nth, portion in enumerate(batch.portions):
                with engine.session() as session:
                    rows += sum(f.rows for f in session.stage(str(portion.rows), tmp_path / f"staged-{nth}"))
        assert rows > 1_200_000
        assert not list((tmp_path / "engine/spill").glob("*"))
    finally:
        engine.close()


# ---------------------------------------------------------------- its page
def test_the_page_names_every_column() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\w+) \| `(\w+)` \| (.+?) \| (.*?) \|$", PAGE.read_text("utf-8"))
    assert {name: (app, key) for name, app, key, *_ in rows} == {n: (t.application, t.key) for n, t in TABLES.items()}
    for name, *_, columns, later in rows:
        table = TABLES[name]
        assert re.findall(r"`(\w+)` ([a-z]+(?:\(\d+,\d+\))?)", columns) == list(table.columns.items()), name
        said = {n: None if k == "goes" else k for n, k in re.findall(r"`(\w+)` ([a-z]+)", later)}
        assert said == dict(table.later), name
    assert SPAN == 15
    assert f"{SPAN} days" in PAGE.read_text("utf-8")
