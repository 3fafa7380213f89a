"""A real connector from PyPI, in an environment of its own: check, discover, read, and read on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lagoa.app import Project
from lagoa.kit.airbyte.environment import Environment

FAKER = "airbyte-source-faker==7.2.1"
PROJECT = f"""type: airbyte
connector: {FAKER}
config: {{count: 40, seed: 7, records_per_slice: 10, always_updated: false}}
streams:
  users: {{mode: merge, key: id, columns: {{email: {{pii: email}}, telephone: {{drop: true}}}}}}
  products: {{}}
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faker")
    (folder / "sources").mkdir()
    (folder / "lagoa.yml").write_text("name: faker\n")
    (folder / "sources/crm.yml").write_text(PROJECT)
    return folder


def rows(project: Project, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.query(sql).read_all().to_pylist()
    return found


def test_source_faker_is_installed_checked_and_read_and_read_on(project: Path) -> None:
    """Every start of the connector loads pandas and takes seconds: five in all, one catalog for both runs."""
    with Project.open(project) as opened:
        source = opened.project.sources["crm"].source
        source.check("users", project)  # a registry that cannot be reached fails here, with the installer's own words
        assert (Environment(project, FAKER).folder / "bin/source-faker").is_file()
        done = opened.run()
        assert [str(result.error) for result in done.results if result.error] == []
        users = rows(opened, "select * from bronze.crm_users order by id")
        assert [user["id"] for user in users] == [*range(1, 41)]
        assert "telephone" not in users[0]
        assert users[0]["created_at"].tzinfo is not None
        assert users[0]["address"].startswith('{"street_number":')
        prices = rows(opened, "select count(*) as n, sum(price) as sum from bronze.crm_products")
        assert prices[0]["n"] > 0
        assert prices[0]["sum"] > 0
        # its state says that all forty were given; without it, they would come again
        assert opened.run(["bronze.crm_users"]).ok
        count = "select count(*) as n, count(distinct id) as ids, count(distinct _run) as runs from bronze.crm_users"
        assert rows(opened, count) == [{"n": 40, "ids": 40, "runs": 1}]
