"""Makes the files of the shop, so that the data that Lagoa ships is its own: `python shop_data.py FOLDER`.

Nobody in it exists: names are drawn from lists and the check digits of every CPF are wrong on purpose.
"""

from __future__ import annotations

import json
import random
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

FIRST = (
    "Ana João Maria José Antônio Conceição Luís Márcia Paulo Íris Inês Caetano Bruno Lúcia Sérgio Tânia "
    "Davi Helena Raul Zélia Otávio Aparecida Vinícius Cláudia Mateus Flávia Renato Débora Caio Lívia"
)
LAST = (
    "Silva Araújo Gonçalves Simões Conceição Muñoz Assunção Peçanha Barão Leitão Magalhães Brandão "
    "Falcão Galvão Seixas Nóbrega Patrício Rêgo Sampaio Távora Uchôa Viégas Ximenes Zanini"
)
PLACES = (
    ("São Paulo", "SP", 24), ("Campinas", "SP", 8), ("Rio de Janeiro", "RJ", 14), ("Niterói", "RJ", 5),
    ("Belo Horizonte", "MG", 10), ("Uberlândia", "MG", 4), ("Curitiba", "PR", 7), ("Florianópolis", "SC", 5),
    ("Porto Alegre", "RS", 6), ("Salvador", "BA", 6), ("Recife", "PE", 5), ("Fortaleza", "CE", 4),
    ("Goiânia", "GO", 3), ("Brasília", "DF", 4), ("Belém", "PA", 3),
)  # fmt: skip
PRODUCTS = {
    "café": {
        "Café do Cerrado 250 g": "27.90", "Café do Caparaó 500 g": "46.50", "Café em grão 1 kg": "89.00",
        "Coador de pano": "8.40", "Moedor manual": "189.90", "Prensa francesa 600 ml": "129.00",
        "Cafeteira italiana 6 xícaras": "164.50", "Chaleira de bico fino": "219.00",
        "Balança de cozinha": "98.70",
    },
    "doces": {
        "Goiabada cascão 300 g": "14.90", "Doce de leite 400 g": "22.00", "Rapadura 200 g": "7.50",
        "Paçoca, 12 un.": "16.80", "Pé de moleque, 10 un.": "18.20", "Cocada branca, 6 un.": "19.50",
        "Bananada 250 g": "12.30", "Compota de figo 350 g": "31.00",
    },
    "casa": {
        "Rede de algodão": "259.00", "Filtro de barro 8 l": "342.00", "Panela de pedra 3 l": "418.90",
        "Tábua de ipê": "119.00", "Cesto de carnaúba": "86.00", "Toalha de renda": "1290.00",
        "Colher de pau": "11.90", "Gamela média": "148.00", "Moringa 2 l": "74.90",
        "Peneira de palha": "39.50",
    },
    "papel": {
        "Caderno pautado A5": "24.90", "Caderno de desenho A4": "38.00", "Agenda 2026": "64.90",
        "Cordel, três títulos": "15.00", "Calendário 2026": "32.00", "Envelope pardo, 50 un.": "27.40",
        "Papel de presente 5 m": "13.90",
    },
    "mesa": {
        "Xícara esmaltada": "29.90", "Prato fundo de cerâmica": "47.00", "Jarra de vidro 1 l": "58.50",
        "Copo americano, 6 un.": "21.00", "Travessa oval": "96.00", "Bule esmaltado": "112.00",
        "Açucareiro": "36.50", "Queijeira de vidro": "79.00",
    },
}  # fmt: skip
START, END = datetime(2026, 1, 1), datetime(2026, 11, 20)
LATER = "2026-11"
"""The month that is not in the landing folder yet: the tutorial lets it arrive."""


@dataclass(frozen=True)
class Order:
    """One order with its lines: (product, quantity, price)."""

    id: int
    customer: int
    at: datetime
    status: str
    channel: str
    lines: Sequence[tuple[int, int, Decimal]]

    @property
    def total(self) -> Decimal:
        """What must be paid for it."""
        return sum((quantity * price for _, quantity, price in self.lines), Decimal(0))


def write(project: Path) -> None:
    """Write the shop's `landing` and `later` folders; the same bytes each time."""
    dice = random.Random(20261120)
    landing = project / "landing"
    customers = _customers(dice)
    products = _products()
    orders = _orders(dice, len(customers), products)
    _csv(landing / "customers.csv", "customer_id name cpf email city state since", customers)
    _csv(
        landing / "products.csv",
        "product_id name category price",
        ([p, name, category, _money(price)] for p, (name, category, price) in products.items()),
    )
    for month in sorted({f"{o.at:%Y-%m}" for o in orders}):
        folder = project / "later" if month == LATER else landing
        these = [o for o in orders if f"{o.at:%Y-%m}" == month]
        _csv(
            folder / f"orders/{month}.csv",
            "order_id customer_id ordered_at status channel",
            _order_rows(these, month),
        )
        _csv(
            folder / f"items/{month}.csv",
            "order_id line product_id quantity unit_price",
            _item_rows(these, month),
        )
        payments = folder / f"payments/{month}.ndjson"
        payments.parent.mkdir(parents=True, exist_ok=True)
        payments.write_bytes("".join(json.dumps(p) + "\n" for p in _payments(dice, these)).encode())


def _customers(dice: random.Random) -> list[list[object]]:
    rows: list[list[object]] = []
    for number in range(1, 321):
        first, last = dice.choice(FIRST.split()), f"{dice.choice(LAST.split())} {dice.choice(LAST.split())}"
        city, state, _ = dice.choices(PLACES, weights=[weight for *_, weight in PLACES])[0]
        user = _plain(f"{first}.{last.split()[-1]}{number}")
        since = datetime(2024, 1, 1) + timedelta(days=dice.randrange(720))
        email = f"{user}@example.com" if dice.random() > 0.06 else ""
        rows.append([number, f"{first} {last}", _cpf(dice), email, city, state, f"{since:%d/%m/%Y}"])
    rows[41][2] = "123.456.789"  # too short: silver's check sets this row aside
    rows.append(["", "Cliente sem código", _cpf(dice), "", "Santos", "SP", "02/02/2025"])
    return rows


def _products() -> dict[int, tuple[str, str, Decimal]]:
    listed = ((name, category, price) for category, names in PRODUCTS.items() for name, price in names.items())
    return {number: (name, category, Decimal(price)) for number, (name, category, price) in enumerate(listed, 101)}


def _orders(dice: random.Random, customers: int, products: dict[int, tuple[str, str, Decimal]]) -> list[Order]:
    loyal = [dice.paretovariate(1.4) for _ in range(customers - 1)]
    found: list[Order] = []
    at = START
    while at < END:
        growth = 1 + 0.05 * (at.year * 12 + at.month - START.year * 12 - 1)
        at += timedelta(minutes=dice.expovariate(growth / 260))
        if at >= END:
            break
        lines = []
        for product in dice.sample(sorted(products), dice.choices((1, 2, 3, 4), (5, 4, 2, 1))[0]):
            quantity = dice.choices((1, 2, 3, 6), (12, 5, 2, 1))[0]
            lines.append((product, quantity, products[product][2]))
        status = dice.choices(("paid", "shipped", "delivered", "cancelled"), (1, 1, 16, 1))[0]
        customer = dice.choices(range(1, customers), loyal)[0]
        channel = dice.choices(("site", "app", "loja"), (6, 5, 2))[0]
        found.append(Order(50_001 + len(found), customer, at, status, channel, lines))
    return found


def _order_rows(orders: list[Order], month: str) -> list[list[object]]:
    rows: list[list[object]] = [[o.id, o.customer, f"{o.at:%d/%m/%Y %H:%M}", o.status, o.channel] for o in orders]
    if month == "2026-02":
        rows[100][2] = "31/02/2026 10:15"  # no such day: the source sets this row aside
    return rows


def _item_rows(orders: list[Order], month: str) -> list[list[object]]:
    rows: list[list[object]] = [
        [o.id, line, product, quantity, _money(price)]
        for o in orders
        for line, (product, quantity, price) in enumerate(o.lines, 1)
    ]
    if month == "2026-05":
        rows[33][4] = "a combinar"  # not a price: the source sets this row aside
        rows[77][3] = "-2"  # no such quantity: silver's check sets this row aside
    return rows


def _payments(dice: random.Random, orders: list[Order]) -> Iterable[dict[str, object]]:
    for order in orders:
        if order.status == "cancelled":
            continue
        method = dice.choices(("pix", "credit_card", "boleto"), (9, 7, 2))[0]
        late = timedelta(minutes=dice.randrange(1, 30) if method == "pix" else dice.randrange(30, 4000))
        yield {
            "payment_id": f"P{order.id}",
            "order_id": order.id,
            "method": method,
            "installments": dice.choice((1, 1, 2, 3, 6, 10)) if method == "credit_card" else 1,
            "amount": float(order.total),
            "paid_at": f"{order.at + late:%Y-%m-%dT%H:%M:%S}-03:00",
        }


def _cpf(dice: random.Random) -> str:
    digits = [dice.randrange(10) for _ in range(9)]
    for start in (10, 11):
        rest = sum(d * w for d, w in zip(digits, range(start, 1, -1), strict=True)) * 10 % 11 % 10
        digits.append((rest + 1) % 10)  # one off, so that it is nobody's
    d = "".join(map(str, digits))
    return f"{d[:3]}.{d[3:6]}.{d[6:9]}-{d[9:]}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode().lower()


def _money(value: Decimal) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def _csv(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header.replace(" ", ";"), *(";".join(map(str, row)) for row in rows)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("latin-1"))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
