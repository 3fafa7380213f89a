"""Finds columns that hold personal data, by the names they have and by what their values look like."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lagoa.propose.files.facts import Facts

_PEOPLE = re.compile(
    r"(?:^|_)(person|people|pessoas?|customers?|clientes?|users?|usuarios?|employees?|funcionarios?|colaborador(?:es)?|"
    r"patients?|pacientes?|students?|alunos?|contacts?|contatos?|leads?|members?|membros?|socios?|accounts?|sellers?|"
    r"vendedor(?:es)?|drivers?|motoristas?|passengers?|authors?|comments)(?:_|$)"
)
_NAMES = re.compile(
    r"(?:^|_)((first|last|full|middle|given|family|sur|nick|contact|customer|client|user|employee|person|patient|"
    r"member|holder|mother|father)_?names?|(nome|nm|no)_(completo|(d[aoe]_?)?(cliente|pessoa|mae|pai|socio|titular|aluno|"
    r"candidat[oa]|paciente|servidor|beneficiari[oa])|representante(_legal)?|contato)|sobrenome|lastname|firstname|fullname|surname)$"
)
_BARE_NAMES = re.compile(r"(nome|name|nm|username|user_name|author)$")
_BY_NAME: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?:^|_)({words})(_?(number|num|no|numero|address|\d+))?$"))
    for kind, words in (
        ("cpf", "cpfs?(_\\w+)?|cnpj_cpf"),
        ("email", "e_?mail|emails|correio_eletronico"),
        ("phone", "phones?|telefones?|fones?|tel|celular(?:es)?|mobile|fax|whatsapp|homephone|cellphone|ddd_fone"),
        ("birth_date", "birth_?date|birth_?day|dob|date_of_birth|nascimento|dt_nasc|data_nasc|dt_nascimento"),
        ("ip", "ip|ip_address|ipaddress"),
        ("id_card", "rg|passport|passaporte|cnh|ssn|pis|nis|titulo_eleitor(al)?(_\\w+)?"),
        (
            "pseudonym",
            "((customer|client|user|person|visitor|cliente|usuario)_)?(unique|pseudo|anonymous)_id|device_id|cookie_id|"
            "visitor_id|advertising_id|idfa|gaid",
        ),
        ("card", "card_number|numero_cartao|credit_card|pan"),
    )
)  # fmt: skip
_PLACE = re.compile(
    r"(?:^|_)(address|addr|endereco|logradouro|street|rua|nome_da_rua|numero_rua|complemento|bairro|ship_?address|"
    r"billing_?address)(?:_|$)"
)
_ZIP = re.compile(r"(?:^|_)(cep|zip|zipcode|zip_?code|postal_?code|postcode)(?:_|$)")
_DELIVERED = re.compile(
    r"(?:^|_)(ship|shipping|billing|delivery|entrega|destinatario)_?(to_)?(name|nome|address|endereco)$"
)
_FREE = re.compile(
    r"(?:^|_)(comments?|comentarios?|message|mensagem|notes?|notas?|obs|observac(?:ao|oes)|remarks?|bio)(?:_|$)"
)
_COMPANY = re.compile(r"(?:^|_)(company|empresa|razao|fantasia|product|produto|file|revenda|loja|store|ship)(?:_|$)")
_VALUES = {"email": "email", "phone": "phone", "ip": "ip"}
_TELLING = ("cpf", "birth_date", "name", "email")


def personal(stream: str, columns: Mapping[str, Facts]) -> dict[str, tuple[str, str]]:
    """Return kind and reason for each column of a stream that seems to hold personal data."""
    found: dict[str, tuple[str, str]] = {}
    for name, facts in columns.items():
        hit = _certain(name, facts)
        if hit:
            found[name] = hit
    about = next((f"`{c}` tells of people" for c, (kind, _) in found.items() if kind in _TELLING), "")
    if _PEOPLE.search(stream):
        about = f"`{stream}` are people"
    if about:
        for name, facts in columns.items():
            kind = _around(name, facts)
            if name not in found and kind:
                found[name] = (kind, f"by its name, and {about}")
    return found


def _certain(name: str, facts: Facts) -> tuple[str, str] | None:
    return _by_values(facts) or _by_name(name, facts)


def _by_values(facts: Facts) -> tuple[str, str] | None:
    cpf, cnpj = facts.shares.get("cpf", 0), facts.shares.get("cnpj", 0)
    if facts.most("cpf", 0.95):
        return "cpf", "CPF: its check digits hold"
    if facts.most("masked"):
        return "cpf", "a masked CPF"
    if cpf > 0 and cpf + cnpj >= 0.95:
        return "cpf", "CPF and CNPJ: their check digits hold"
    return next(((kind, "its values look like it") for shape, kind in _VALUES.items() if facts.most(shape)), None)


def _by_name(name: str, facts: Facts) -> tuple[str, str] | None:
    for kind, words in _BY_NAME:
        if words.search(name) and (facts.different < 2 or _fits(kind, facts)):
            return kind, "by its name" if kind != "cpf" or not facts.filled else "by its name and form"
    if _NAMES.search(name) and not _COMPANY.search(name) and not _is_no_name(facts):
        return "name", "by its name"
    if _PEOPLE.fullmatch(name) and facts.most("names"):
        return "name", "its values look like it"
    if delivered := _DELIVERED.search(name):
        return ("name" if delivered[3] in ("name", "nome") else "address"), "by its name: where something goes"
    if _FREE.search(name) and facts.average > 25:
        return "free_text", "texts that people write may name anybody"
    return None


def _fits(kind: str, facts: Facts) -> bool:
    """Say whether values may be what a column's name says: `phone` of a model, and `ip` of a plant, are none."""
    if kind == "phone":
        return facts.shortest >= 3 and facts.longest <= 30 and not facts.most("names", 0.5)
    if kind == "cpf":  # made-up and mistyped ones fail their check digits; a number has lost its zeros
        return facts.most("like_cpf", 0.9) or (facts.most("digits") and facts.shortest >= 8 and facts.longest <= 11)
    return kind not in ("ip", "email")  # values of these are known when they are seen


def _is_no_name(facts: Facts) -> bool:
    """Say whether values are no names of people: numbers, or nearly all of them names of companies."""
    return facts.most("digits", 0.5) or facts.most("company", 0.8)


def _around(name: str, facts: Facts) -> str | None:
    if _COMPANY.search(name) and not _PLACE.search(name):
        return None
    if _BARE_NAMES.search(name) and not _is_no_name(facts):
        return "name"
    if _PLACE.search(name) and not facts.most("email"):
        return "address"
    return "zip" if _ZIP.search(name) else None
