"""A run's scratch folder is swept when the run is dead, never while somebody, whoever it is, holds its lease."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lagoa.lake.staging import FOLDER, Staging, live, sweep


def as_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let leases be as they are for a user who may read them and not write: root may do both."""
    open_ = os.open

    def opened(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".lock") and flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, flags, mode)

    monkeypatch.setattr(os, "open", opened)


def test_a_lease_that_another_user_holds_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Staging(tmp_path, "theirs"):
        as_another_user(monkeypatch)
        assert live(tmp_path) == ["theirs"]
        assert sweep(tmp_path) == 0
        assert (tmp_path / FOLDER / "theirs").is_dir()


def test_a_lease_that_nobody_may_look_at_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FOLDER / "hidden").mkdir(parents=True)
    (tmp_path / FOLDER / "hidden.lock").touch()
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert live(tmp_path) == ["hidden"]
    assert sweep(tmp_path) == 0


def test_what_a_dead_run_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "dead").mkdir(parents=True)
    (tmp_path / FOLDER / "dead.lock").touch()
    (tmp_path / FOLDER / "older").mkdir()
    assert live(tmp_path) == []
    assert sweep(tmp_path) == 2
    assert list((tmp_path / FOLDER).iterdir()) == []
