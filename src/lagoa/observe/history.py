"""The history of runs as tables: SQL that reads the logs, so that `lagoa query` can ask them anything."""

from __future__ import annotations

from pathlib import Path

from lagoa.kit.text import listed
from lagoa.observe.log import runs_folder

TABLES = ("history.events", "history.steps", "history.runs")
"""The tables that it makes, each built from those before it."""

_COLUMNS = "{time: 'TIMESTAMPTZ', run: 'VARCHAR', kind: 'VARCHAR', \"table\": 'VARCHAR', data: 'JSON'}"

_NONE = """
select null::timestamptz as time, null::varchar as run, null::varchar as kind, null::varchar as table_name,
    null::json as data
where false
"""

_STEPS = """
select
    run,
    table_name,
    case
        when bool_or(kind = 'step.failed') then 'failed'
        when bool_or(kind = 'step.blocked') then 'blocked'
        when bool_or(kind = 'step.skipped') then 'skipped'
        when bool_or(kind = 'step.published') then 'published'
        when bool_or(kind = 'step.unchanged') then 'unchanged'
        else 'unfinished'
    end as status,
    coalesce(sum((data ->> 'rows')::bigint) filter (where kind = 'step.published'), 0)::bigint as rows,
    coalesce(sum((data ->> 'quarantined')::bigint) filter (where kind = 'step.published'), 0)::bigint
        as quarantined,
    max((data ->> 'version')::bigint) filter (where kind = 'step.published') as version,
    coalesce(sum((data ->> 'bytes')::bigint) filter (where kind = 'source.read'), 0)::bigint as bytes_read,
    count(*) filter (where kind = 'step.retry') as retries,
    min(time) filter (where kind = 'step.started') as started_at,
    date_diff('millisecond', min(time) filter (where kind = 'step.started'), max(time)) / 1000.0 as seconds,
    max(coalesce(data ->> 'message', data ->> 'because'))
        filter (where kind in ('step.failed', 'step.blocked', 'step.skipped', 'step.unchanged')) as message
from history.events
where table_name is not null and (kind like 'step.%' or kind = 'source.read')
group by run, table_name
"""

_RUNS = """
select
    e.run,
    coalesce(max(e.data ->> 'status') filter (where e.kind = 'run.finished'), 'unfinished') as status,
    max(e.data ->> 'target') filter (where e.kind = 'run.started') as target,
    min(e.time) as started_at,
    max(e.time) filter (where e.kind = 'run.finished') as finished_at,
    date_diff('millisecond', min(e.time), max(e.time) filter (where e.kind = 'run.finished')) / 1000.0
        as seconds,
    coalesce(any_value(s.tables), 0) as tables,
    coalesce(any_value(s.published), 0) as published,
    coalesce(any_value(s.failed), 0) as failed,
    coalesce(any_value(s.rows), 0)::bigint as rows,
    coalesce(any_value(s.quarantined), 0)::bigint as quarantined
from history.events as e
left join (
    select
        run,
        count(*) as tables,
        count(*) filter (where status = 'published') as published,
        count(*) filter (where status = 'failed') as failed,
        sum(rows) as rows,
        sum(quarantined) as quarantined
    from history.steps
    group by run
) as s on s.run = e.run
group by e.run
"""


def history_sql(project: Path) -> dict[str, str]:
    """Give, for each table of TABLES in the order in which they must be bound, the query that makes it."""
    files = sorted(str(path) for path in runs_folder(project).glob("*.jsonl"))
    return dict(zip(TABLES, (_events(files), _STEPS, _RUNS), strict=True))


def _events(files: list[str]) -> str:
    if not files:
        return _NONE
    # a line torn by a kill is left out, as log.read_run does
    options = f"columns = {_COLUMNS}, format = 'newline_delimited', ignore_errors = true"
    columns = 'time, run, kind, "table" as table_name, data'
    return f"select {columns} from read_json({listed(files)}, {options}) where run is not null"
