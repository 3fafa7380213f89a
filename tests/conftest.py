"""Fixtures that every test may use, and the rule that nothing is skipped in CI."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.ports import Engine, Session
from lagoa.registry import adapter

ROOT = Path(__file__).resolve().parent.parent
IN_CI = bool(os.environ.get("CI"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs that stands beside the checkout; a stranger's clone lacks it."""
    folder = Path(os.environ.get("LAGOA_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the real inputs in {folder} (or name their folder in LAGOA_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The real engine, with little memory, shared by all tests of a process."""
    made: Engine = adapter("engines", "duckdb")(2, "1GB", tmp_path_factory.mktemp("engine"))
    yield made
    made.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session of the real engine."""
    with engine.session() as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def] # pytest's own generator protocol
    """Turn a skip into a failure in CI: what is not run there is not proven."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up the figures that tests recorded (`record_property("figures", {…})`), also those of other processes."""
    total: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                total.update(dict(report.user_properties).get("figures", {}))
    if total:
        terminalreporter.write_line("figures: " + ", ".join(f"{n:,} {what}" for what, n in total.items()))
