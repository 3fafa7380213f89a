"""GA4: events of the BigQuery export, taken apart into parameters and items, and gathered into visits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]


def _events(folder: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Read the events of all files, each once, without Lagoa."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.ndjson")):
        for line in path.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event.get("event_params"):
                names = ("user_pseudo_id", "event_timestamp", "event_name", "event_bundle_sequence_id", "stream_id")
                found.setdefault(tuple(event[name] for name in names), event)
    return found


def _param(event: dict[str, Any], key: str) -> str | None:
    for param in event["event_params"]:
        if param["key"] == key:
            return next((v for v in param["value"].values() if v is not None), None)
    return None


def test_events_unnest_into_parameters_items_and_sessions(shared_data: Path, lagoa: Lagoa, ask: Ask) -> None:
    data = str(shared_data / "ga4")
    events = _events(shared_data / "ga4")
    assert lagoa("init", "ga4", "--example", "ga4").code == 0
    said = lagoa("run", folder="ga4", GA4_DATA=data)
    assert said.code == 0, said.err
    assert ask("ga4", "select count(*) as n from quarantine.bronze_ga4_events", GA4_DATA=data) == [{"n": 0}]
    assert ask("ga4", "select count(*) as n from silver.events", GA4_DATA=data) == [{"n": len(events)}]

    params = sum(len(event["event_params"]) for event in events.values())
    assert ask("ga4", "select count(*) as n from silver.event_params", GA4_DATA=data) == [{"n": params}]
    items = sum(len(event["items"]) for event in events.values())
    assert ask("ga4", "select count(*) as n from silver.items", GA4_DATA=data) == [{"n": items}]

    sessions: dict[str, list[dict[str, Any]]] = {}
    for event in events.values():
        sessions.setdefault(f"{event['user_pseudo_id']}.{_param(event, 'ga_session_id')}", []).append(event)
    found = {row["session_id"]: row for row in ask("ga4", "from gold.sessions", GA4_DATA=data)}
    assert {key: row["events"] for key, row in found.items()} == {key: len(rows) for key, rows in sessions.items()}
    for key, rows in sessions.items():
        revenue = sum(float((row.get("ecommerce") or {}).get("purchase_revenue") or 0) for row in rows)
        seconds = sum(int(_param(row, "engagement_time_msec") or 0) for row in rows) / 1000
        assert (found[key]["revenue"], found[key]["engaged_seconds"]) == (revenue, seconds), key
    bought = ask("ga4", "select purchases, revenue from gold.sessions where purchases > 0", GA4_DATA=data)
    assert bought == [{"purchases": 1, "revenue": 62.0}]
    assert lagoa("run", folder="ga4", GA4_DATA=data).out.startswith("Nothing to write.")
