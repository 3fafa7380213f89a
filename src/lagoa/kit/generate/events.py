"""The tables that tell what happened: transactions of accounts, visits of the site, orders of the shop."""

from __future__ import annotations

from lagoa.kit.generate.draw import MASK, below, chance, instant, mixed, pick, reais
from lagoa.kit.generate.names import BILLS, CAMPAIGNS, FAMILY, GIVEN, GOODS, MERCHANTS, PAGES, REFERRERS
from lagoa.kit.generate.table import Table
from lagoa.kit.generate.world import World

_TAIL = (1,) * 12 + (2,) * 8 + (3,) * 5 + (5,) * 3 + (8, 15, 40, 120)
"""By what an amount is multiplied: most are small, a few very large."""
_LINES = 4  # the most items of an order
_DAY = 1_000_000_000  # more rows than a day has, so that a row's id tells its day


def _customer(world: World, rows: str, table: str) -> str:
    """Choose whose each row is, as `c`: some are busier than others, and everybody is quiet for some weeks at times."""
    drawn = mixed(rows, {"who": "key", "other": "key"}, world.seed, table)
    # one in five customers makes more than half of the rows
    anyone, busy = "case {} % 2 when 0 then {} else {} // 5 * 5 end", {d: below(d, "people") for d in ("who", "other")}
    chosen = [anyone.format(a, busy[b], busy[b]) for a, b in (("other", "who"), ("who", "other"))]
    quiet = "((one::ubigint * 2654435761 + (day // 45)::ubigint * 40503) >> 9) % 8 = 0"
    both = f"select * exclude (who, other), {chosen[0]} as one, {chosen[1]} as two from ({drawn})"
    return f"select * exclude (one, two), case when {quiet} then two else one end as c from ({both})"


def _times(world: World, happened: str) -> str:
    """Write when a row happened, when it last changed, and when it was deleted."""
    second = "(noon % 43200 + noon // 43200 % 43200)"  # the middle of the day is busiest
    at = {day: instant(world.epoch, day, second) for day in ("day", "first", "came")}
    return (
        f"{at['day']} as {happened}, case version when 0 then {at['first']} else {at['came']} end as updated_at, "
        f"case version when 2 then {at['came']} end as deleted_at"
    )


def _transactions(world: World, given: str, _day: int) -> str:
    paid = "case when k < wages then (k * people::bigint) // wages else c end as c"
    known = world.known(f"select * replace ({paid}) from ({_customer(world, given, 'transactions')})", "c")
    keys = dict.fromkeys(("what", "cents", "tail", "noon", "party", "name_draw"), "key")
    drawn = mixed(known, keys, world.seed, "transactions")
    due = f"extract(day from date '{world.start}' + day::integer) in (5, 10, 15, 20)"
    bill = f"({chance('what', 8)} or ({due} and {chance('what', 22)}))"
    kind = (
        f"case when k < wages then 'salary' when {bill} then 'boleto' "
        f"when coalesce(card_since <= day, false) and {chance('(what // 100)', 45)} then 'card' "
        f"when {chance('(what // 10000)', 35)} then 'pix_in' else 'pix_out' end"
    )
    saves = f"(kind in ('pix_in', 'pix_out') and coalesce(saves_since <= day, false) and {chance('party', 15)})"
    tail = pick("tail", _TAIL)
    rank = pick(f"((fixed * 48271) & {MASK})", _TAIL)
    amount = f"""case kind when 'salary' then 151800 + (fixed // 8192 % 500000)::bigint * {rank} // 4
    when 'boleto' then -(4000 + (cents % 60000)::bigint) when 'pix_in' then (500 + (cents % 24000)::bigint) * {tail}
    else -((300 + (cents % 9000)::bigint) * {tail}) end"""
    person = f"{pick('name_draw', GIVEN, first_more=True)} || ' ' || {pick('party', FAMILY, first_more=True)}"
    shops = [(category, name) for category, found in MERCHANTS.items() for name in found]
    which = f"(1 + {below('name_draw', len(shops))})"
    return f"""
select day::bigint * {_DAY} + k as transaction_id,
    (c::bigint + 1) * 10 + case when {saves} then 2 else 1 end as account_id,
    case kind when 'card' then (c::bigint + 1) * 10 + 1 end as card_id, kind,
    {reais("case version when 1 then amount + sign(amount)::bigint * (1 + abs(amount) // 10) else amount end")}
        as amount,
    case kind when 'salary' then 'Empregador ' || (1 + c % 997) when 'boleto' then {pick("name_draw", BILLS)}
        when 'card' then {[name for _, name in shops]}[{which}] else {person} end as counterparty,
    case kind when 'card' then {[category for category, _ in shops]}[{which}] end as category,
    case when kind = 'card' and {chance("(party // 100)", 25)} then 2 + (party // 10000 % 11)::integer
        when kind = 'card' then 1 end as installments,
    case when {chance("tail", 97)} then {pick("tail", ("android", "ios", "web"))} end as device,
    {_times(world, "happened_at")}, came, fault
from (select *, {amount} as amount from (select *, {kind} as kind from ({drawn})))"""


def _visits(world: World, given: str, _day: int) -> str:
    keys = dict.fromkeys(("anonymous", "session", "page", "length", "campaign", "noon"), "key")
    drawn = mixed(_customer(world, given, "visits"), keys, world.seed, "visits")
    which, paid = f"(1 + {below('campaign', len(CAMPAIGNS))})", chance("session", 38)
    utm = [f"case when {paid} then {[c[n] for c in CAMPAIGNS]}[{which}] end" for n in (0, 1)]
    seconds = f"(5 + length % 60 * {pick('length', _TAIL)} // 2)"
    return f"""
select day::bigint * {_DAY} + k as visit_id,
    lpad(hex(session), 8, '0') || lpad(hex(key), 8, '0') as session_id,
    case when not {chance("anonymous", 45)} then c + 1 end as customer_id,
    {pick("page", PAGES, first_more=True)} as landing_page,
    (1 + page % 12)::integer as pages, ({seconds} + case version when 1 then 7 else 0 end)::integer as seconds,
    {pick("length", ("mobile", "desktop", "tablet"), first_more=True)} as device,
    {utm[0]} as utm_source, {utm[1]} as utm_medium,
    case when {paid} then strftime(date '{world.start}' + day::integer, '%Y-%m') end as utm_campaign,
    case when not {paid} then {pick("campaign", REFERRERS)} end as referrer,
    {chance("campaign", 83)} as consent,
    {_times(world, "visited_at")}, came, fault
from ({drawn})"""


def _baskets(world: World, given: str) -> str:
    """Draw what orders are made of: `lines` items, each with a product and a quantity."""
    keys = {f"basket_{n}": "key" for n in range(1, _LINES + 1)}
    drawn = mixed(_customer(world, given, "orders"), {**keys, "many": "key", "noon": "key"}, world.seed, "orders")
    return f"select *, {pick('many', (1, 1, 1, 2, 2, 3, 3, 4))} as lines from ({drawn})"


def _cents(line: str) -> str:
    """Write the price of a line's product, in cents."""
    return pick(line, [cents for found in GOODS.values() for _, cents in found])


def _pieces(line: str) -> str:
    return f"(1 + case when {line} % 10 = 0 then 1 else 0 end)"


def _orders(world: World, given: str, _day: int) -> str:
    total = " + ".join(
        f"case when lines >= {n} then {_cents(f'basket_{n}')} * {_pieces(f'basket_{n}')} else 0 end"
        for n in range(1, _LINES + 1)
    )
    status = f"case when version = 1 then 'returned' when {chance('many', 3)} then 'cancelled' else 'paid' end"
    return f"""
select day::bigint * {_DAY} + k as order_id, c + 1 as customer_id, {status} as status, lines::integer as lines,
    {reais(total)} as total, case when {chance("basket_1", 12)} then 'BEMVINDO' || (many % 10) end as coupon,
    {pick("noon", ("app", "site", "loja"), first_more=True)} as channel,
    {_times(world, "ordered_at")}, came, fault
from ({_baskets(world, given)})"""


def _items(world: World, given: str, _day: int) -> str:
    line = "case line " + " ".join(f"when {n} then basket_{n}" for n in range(1, _LINES + 1)) + " end"
    lines = ", ".join(f"({n})" for n in range(1, _LINES + 1))
    apart = (
        f"select *, {line} as basket from ({_baskets(world, given)}), (values {lines}) as l(line) where line <= lines"
    )
    goods = sum(map(len, GOODS.values()))
    return f"""
select (day::bigint * {_DAY} + k) * 10 + line as item_id, day::bigint * {_DAY} + k as order_id,
    1 + {below("basket", goods)} as product_id, {_pieces("basket")} as quantity,
    {reais(_cents("basket"))} as unit_price,
    {_times(world, "ordered_at")}, came, fault
from ({apart})"""


_CHANGED = {"updated_at": "timestamp", "deleted_at": "timestamp"}
TRANSACTIONS = Table(
    name="transactions",
    application="bank",
    key="transaction_id",
    description="What moves an account: wages, Pix, boletos, purchases by card. Money that goes out is negative.",
    kind="event",
    columns={
        "transaction_id": "bigint",
        "account_id": "bigint",
        "card_id": "bigint",
        "kind": "text",
        "amount": "decimal(12,2)",
        "counterparty": "text",
        "category": "text",
        "installments": "integer",
        "happened_at": "timestamp",
        **_CHANGED,
    },
    rows=_transactions,
    later={"device": "text"},
    happens="transactions",
)
VISITS = Table(
    name="visits",
    application="web",
    key="visit_id",
    description="Sessions of the site; nearly half are nobody's.",
    kind="event",
    columns={
        "visit_id": "bigint",
        "session_id": "text",
        "customer_id": "bigint",
        "landing_page": "text",
        "pages": "integer",
        "seconds": "integer",
        "device": "text",
        "utm_source": "text",
        "utm_medium": "text",
        "utm_campaign": "text",
        "referrer": "text",
        "visited_at": "timestamp",
        **_CHANGED,
    },
    rows=_visits,
    later={"referrer": None, "consent": "boolean"},
    happens="visits",
)
ORDERS = Table(
    name="orders",
    application="shop",
    key="order_id",
    description="Orders with their total; a corrected one was returned.",
    kind="event",
    columns={
        "order_id": "bigint",
        "customer_id": "bigint",
        "status": "text",
        "lines": "integer",
        "total": "decimal(12,2)",
        "coupon": "text",
        "ordered_at": "timestamp",
        **_CHANGED,
    },
    rows=_orders,
    later={"channel": "text"},
    happens="orders",
)
ITEMS = Table(
    name="items",
    application="shop",
    key="item_id",
    description="The lines of an order; they come, come again and go with it.",
    kind="event",
    columns={
        "item_id": "bigint",
        "order_id": "bigint",
        "product_id": "bigint",
        "quantity": "integer",
        "unit_price": "decimal(12,2)",
        "ordered_at": "timestamp",
        **_CHANGED,
    },
    rows=_items,
    later={"quantity": "bigint"},
    happens="orders",
)
