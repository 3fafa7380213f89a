"""A secret hides wherever it could be printed."""

from __future__ import annotations

import copy
import pickle

import pytest

from lagoa.spec.declared import Declared
from lagoa.spec.secret import Secret

CANARY = "hunter2"


class Login(Declared):
    """A noun with a secret."""

    password: Secret


def test_only_reveal_shows_it() -> None:
    login = Login.model_validate({"password": CANARY})
    assert login.password.reveal() == CANARY
    shown = [
        str(login),
        repr(login),
        f"{login.password}",
        login.model_dump_json(),
        str(login.model_dump()),
        str(vars(login)),
    ]
    assert not [text for text in shown if CANARY in text]


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError, match="not pickled"):
        copy.copy(Secret(CANARY))


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
