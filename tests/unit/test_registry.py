"""The registry: adapters by the names of their files, and from other packages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa import registry
from lagoa.errors import LagoaError, ProjectError


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what the registry has found, before and after."""
    found = (registry._built_in, registry._plugged_in, registry._entry_points)
    for memory in found:
        memory.cache_clear()
    yield
    for memory in found:
        memory.cache_clear()


def test_an_adapter_is_named_by_its_file() -> None:
    assert {"environment", "file"} <= set(registry.names("secrets"))
    assert registry.adapter("secrets", "environment").__module__ == "lagoa.adapters.secrets.environment"


def test_an_unknown_name_is_told_with_the_closest_and_all() -> None:
    with pytest.raises(ProjectError, match="environment, file") as caught:
        registry.adapter("secrets", "enviroment")
    assert (caught.value.code, caught.value.hint) == ("LG-111", "did you mean `environment`?")


def test_only_the_module_that_is_asked_for_is_loaded() -> None:
    code = (
        "import sys; from lagoa.registry import adapter, names; names('sources'); adapter('secrets', 'file');"
        "print([m for m in sys.modules if m.startswith('lagoa.adapters.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['lagoa.adapters.secrets', 'lagoa.adapters.secrets.file']"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None) -> Path:
    """A package of somebody else's, installed as pip would leave it."""
    (tmp_path / "lagoa_vault.py").write_text("class Vault: ...\nAdapter = Vault\n")
    info = tmp_path / "lagoa_vault-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lagoa-vault\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return info / "entry_points.txt"


def test_another_package_adds_an_adapter_by_its_entry_point(plugin: Path) -> None:
    plugin.write_text("[lagoa.secrets]\nvault = lagoa_vault:Vault\nvault_module = lagoa_vault\n")
    assert {"environment", "vault"} <= set(registry.names("secrets"))
    assert registry.adapter("secrets", "vault").__name__ == "Vault"
    assert registry.adapter("secrets", "vault_module").__name__ == "Vault"


def test_a_name_that_two_packages_offer_is_an_error(plugin: Path) -> None:
    plugin.write_text("[lagoa.secrets]\nenvironment = lagoa_vault:Vault\n")
    with pytest.raises(LagoaError, match="two packages offer `environment`") as caught:
        registry.adapter("secrets", "environment")
    assert caught.value.code == "LG-111"


def test_a_file_whose_name_python_forbids_ends_in_an_underscore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    folder = tmp_path / "checks"
    folder.mkdir()
    for name in ("in_.py", "min.py", "__init__.py", "_private.py"):
        (folder / name).touch()
    monkeypatch.setattr(registry, "_ADAPTERS", tmp_path)
    assert registry.names("checks") == ["in", "min"]
