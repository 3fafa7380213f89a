"""The tables that tell how things stand: customers, accounts, cards, and what the shop sells."""

from __future__ import annotations

from lagoa.kit.generate.draw import below, chance, instant, mixed, pick, reais
from lagoa.kit.generate.names import BRANDS, CITIES, FAMILY, GIVEN, GOODS, STREETS
from lagoa.kit.generate.table import Table
from lagoa.kit.generate.world import MILLION, World, versioned

_MENDED = 365  # days after the start within which the wrong CPFs of the first customers are put right


def cpf(number: str) -> str:
    """Write eleven digits with right check digits; every number below 10⁸ has another one, all begin with 9."""
    base = f"(900000000 + (({number})::bigint * 61803399 + 27182818) % 100000000)"
    digits = [f"({base} // {10 ** (8 - n)} % 10)" for n in range(9)]
    first = _check(digits, 10)
    second = _check([*digits, first], 11)
    return f"({base} * 100 + {first} * 10 + {second})::varchar"


def _check(digits: list[str], weight: int) -> str:
    total = " + ".join(f"{digit} * {weight - n}" for n, digit in enumerate(digits))
    return f"(({total}) * 10 % 11 % 10)"


def _customers(world: World, given: str, day: int) -> str:
    drawn = mixed(world.known(given, "i"), {"fault_draw": "i", "habit": "i"}, world.seed, "crm")
    times = (
        "200 + (habit % 900)::bigint as stays",
        f"fault_draw % {MILLION} < {world.faults.corrected} as mistyped",
        f"case when joined < 0 then (habit % {_MENDED})::bigint else joined + 2 + (habit % 30)::bigint end as mended",
    )
    timed = f"select *, {', '.join(times)} from ({drawn})"
    moves = f"({day} - joined) // stays"
    # what stands under a CPF until it is put right is the first thing that its row said
    state = (
        f"select *, {moves} as moves, mistyped and mended > {day} as wrong, "
        f"greatest(joined + {moves} * stays, case when mistyped and mended <= {day} then mended end) as came "
        f"from ({timed})"
    )
    keys = dict.fromkeys(("given", "middle", "family", "born", "mail", "phone_draw", "consent_draw", "minute"), "i")
    keys |= {name: versioned("i", "moves") for name in ("city_draw", "street_draw", "house", "post")}
    words = mixed(f"select *, {cpf('i')} as right_cpf from ({state})", keys, world.seed, "crm")
    place = f"select *, (1 + {below('(city_draw * city_draw) >> 32', len(CITIES))}) as place from ({words})"
    return f"select {', '.join(_customer(world))}, came, case when wrong then 'corrected' end as fault from ({place})"


def _customer(world: World) -> list[str]:
    first, area = pick("given", GIVEN, first_more=True), f"{[c[4] for c in CITIES]}[place]"
    last = pick("family", FAMILY, first_more=True)
    postal = f"{[c[2] for c in CITIES]}[place] + post % ({[c[3] for c in CITIES]}[place] + 1)"
    code = f"lpad(({postal})::varchar, 5, '0') || '-' || {_digits('post // 65536', 3)}"
    typed = "right_cpf[:10] || ((right_cpf[11:]::integer + 1 + (fault_draw % 9)::integer) % 10)"
    digits = f"case when wrong then {typed} else right_cpf end"
    spelt = f"case when {chance('minute', 70)} then d[:3] || '.' || d[4:6] || '.' || d[7:9] || '-' || d[10:] else d end"
    mail = (
        f"lower(strip_accents({first} || '.' || {last})) || i || '@example.' || {pick('mail', ('com', 'org', 'net'))}"
    )
    dial = [_digits("phone_draw // 100", 3), _digits("house // 7", 4)]
    phone = f"'(' || {area} || ') 90' || {dial[0]} || '-' || {dial[1]}"
    return [
        "(i + 1)::bigint as customer_id",
        f"{first} || ' ' || {pick('middle', FAMILY, first_more=True)} || ' ' || {last} as name",
        f"list_transform([{digits}], lambda d: {spelt})[1] as cpf",
        f"list_transform([right_cpf], lambda d: {spelt})[1] as right_cpf",
        f"case when not {chance('mail', 8)} then {mail} end as email",
        f"case when not {chance('phone_draw', 5)} then {phone} end as phone",
        f"date '1944-01-01' + {below('born', 22_500)}::integer as birth_date",
        f"{pick('street_draw', STREETS, first_more=True)} || ', ' || (1 + house % 2000) as street",
        f"{_column(0)}[place] as city",
        f"{_column(1)}[place] as state",
        f"{code} as postal_code",
        f"{chance('consent_draw', 60)} as marketing_consent",
        f"{instant(world.epoch, 'joined', 'minute % 86400')} as created_at",
        f"{instant(world.epoch, 'came', 'minute % 86400')} as updated_at",
    ]


def _digits(number: str, many: int) -> str:
    """Write the last digits of a number as text."""
    return f"lpad((({number}) % {10**many})::varchar, {many}, '0')"


def _column(place: int) -> str:
    quoted = ", ".join(f"'{city[place]}'" for city in CITIES)
    return f"[{quoted}]"


def _accounts(world: World, given: str, day: int) -> str:
    known = world.known(f"select *, i // 2 as c, (1 + i % 2)::bigint as nth from ({given})", "c")
    opened = f"select *, case nth when 1 then joined else saves_since end as opened from ({known})"
    state = f"select *, ({day} - opened) // 365 as years from ({opened}) where opened <= {day}"
    words = mixed(state, {"branch_draw": "c", "number_draw": "i", "amount": "i", "minute": "i"}, world.seed, "accounts")
    number = f"{_digits('number_draw', 6)} || '-' || (number_draw // 1000000 % 10)"
    limit = "case nth when 1 then (20000 + amount % 8 * 30000) * (1 + years) else 0 end"
    return f"""
select c::bigint * 10 + 10 + nth as account_id, c + 1 as customer_id,
    case nth when 1 then 'checking' else 'savings' end as kind,
    {_digits("branch_draw % 180 + 1", 4)} as branch, {number} as number,
    {reais(limit)} as overdraft, {reais("amount % 1500000 // nth")} as opening_balance,
    {_date(world, "opened")} as opened_on,
    {instant(world.epoch, "opened + years * 365", "minute % 86400")} as updated_at,
    opened + years * 365 as came, null::varchar as fault
from ({words})"""


def _cards(world: World, given: str, day: int) -> str:
    known = world.known(given, "i")
    state = f"select *, ({day} - card_since) // 365 as years from ({known}) where card_since <= {day}"
    words = mixed(state, {"number_draw": "i", "amount": "i", "minute": "i"}, world.seed, "cards")
    return f"""
select i::bigint * 10 + 11 as card_id, i + 1 as customer_id, i::bigint * 10 + 11 as account_id,
    {pick("amount", BRANDS, first_more=True)} as brand,
    '**** **** **** ' || {_digits("number_draw", 4)} as number,
    {reais("(50000 + number_draw // 10000 % 40 * 25000) * (1 + years)")} as credit_limit,
    {_date(world, "card_since")} as issued_on, {_date(world, "card_since + 1826")} as expires_on,
    {instant(world.epoch, "card_since + years * 365", "minute % 86400")} as updated_at,
    card_since + years * 365 as came, null::varchar as fault
from ({words})"""


def _products(world: World, given: str, day: int) -> str:
    goods = [(name, category, cents) for category, found in GOODS.items() for name, cents in found]
    listed = ", ".join(f"({n}, '{name}', '{kind}', {cents})" for n, (name, kind, cents) in enumerate(goods))
    return f"""
select i + 1 as product_id, name, category, {reais("cents")} as price, {instant(world.epoch, "0", "0")} as updated_at,
    0 as came, null::varchar as fault
from ({given}) join (values {listed}) as goods(i, name, category, cents) using (i)
where {day} >= 0"""


def _date(world: World, day: str) -> str:
    return f"(date '{world.start}' + ({day})::integer)"


def _twice(world: World, day: int) -> int:
    return 2 * world.customers(day)


CUSTOMERS = Table(
    name="customers",
    application="crm",
    key="customer_id",
    description="People and where they live. They move; a CPF typed wrong is put right later.",
    kind="state",
    columns={
        "customer_id": "bigint",
        "name": "text",
        "cpf": "text",
        "email": "text",
        "phone": "text",
        "birth_date": "date",
        "street": "text",
        "city": "text",
        "state": "text",
        "postal_code": "text",
        "created_at": "timestamp",
        "updated_at": "timestamp",
    },
    rows=_customers,
    later={"marketing_consent": "boolean"},
    right={"cpf": "right_cpf"},
    count=World.customers,
)
ACCOUNTS = Table(
    name="accounts",
    application="accounts",
    key="account_id",
    description="A checking account for everybody, savings for some.",
    kind="state",
    columns={
        "account_id": "bigint",
        "customer_id": "bigint",
        "kind": "text",
        "branch": "text",
        "number": "text",
        "overdraft": "decimal(12,2)",
        "opening_balance": "decimal(12,2)",
        "opened_on": "date",
        "updated_at": "timestamp",
    },
    rows=_accounts,
    count=_twice,
)
CARDS = Table(
    name="cards",
    application="cards",
    key="card_id",
    description="Credit cards; the limit is raised each year.",
    kind="state",
    columns={
        "card_id": "bigint",
        "customer_id": "bigint",
        "account_id": "bigint",
        "brand": "text",
        "number": "text",
        "credit_limit": "decimal(12,2)",
        "issued_on": "date",
        "expires_on": "date",
        "updated_at": "timestamp",
    },
    rows=_cards,
    count=World.customers,
)
PRODUCTS = Table(
    name="products",
    application="shop",
    key="product_id",
    description="What the shop sells; the same for ever.",
    kind="state",
    columns={
        "product_id": "bigint",
        "name": "text",
        "category": "text",
        "price": "decimal(12,2)",
        "updated_at": "timestamp",
    },
    rows=_products,
    count=lambda _world, _day: sum(map(len, GOODS.values())),
)
