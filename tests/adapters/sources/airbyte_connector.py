"""A connector that speaks Airbyte's protocol, and does wrong what it is told to: the tests run it as a program."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

PEOPLE, COUNTRIES = "people", "My Countries"
TEXT = {"type": ["null", "string"]}
KEYS = ("token", "file", "fault", "at", "records", "catalog", "legacy", "after")
SPEC = {"required": ["token"], "additionalProperties": False, "properties": {key: {} for key in KEYS}}
CATALOG = [
    {
        "name": PEOPLE,
        "json_schema": {
            "properties": {
                "id": {"type": "integer"},
                "Name": TEXT,
                "note": TEXT,
                "born": {"type": "string", "format": "date"},
            }
        },
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": ["id"],
    },
    {"name": COUNTRIES, "json_schema": {"properties": {"code": TEXT}}, "supported_sync_modes": ["full_refresh"]},
]


def put(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(kind: str, **inside: Any) -> None:
    put(json.dumps({"type": kind, **inside}))


def told(path: str | None) -> Any:
    """Read what is told in a file, which nobody else may."""
    if path is None:
        return None
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert Path(path).parent.stat().st_mode & 0o777 == 0o700
    return json.loads(Path(path).read_text())


def fail(code: int, words: str) -> NoReturn:
    sys.stderr.write(f"Traceback\n{words}\n")
    sys.exit(code)


def misbehave(fault: str, secret: str) -> None:
    error = {"message": f"bad {secret}", "failure_type": "config_error"}
    if fault == "exit":
        fail(3, f"ValueError: no {secret}")
    if fault == "trace":
        say("TRACE", trace={"type": "ERROR", "error": error})
    if fault == "transient":
        say("TRACE", trace={"type": "ERROR", "error": {"message": "slow down", "failure_type": "transient_error"}})
    if fault == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with subprocess.Popen(["sleep", "600"]):
            time.sleep(600)
    if fault == "leave":
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
    if fault == "flood":
        for _ in range(300):
            sys.stdout.write("x" * (1 << 20))
    if fault == "nothing":
        put(f"usage: {secret}")
    if fault in ("flood", "nothing"):
        sys.exit(0)


def pass_state(config: dict[str, Any], name: str, state: dict[str, Any], **more: Any) -> None:
    if config.get("legacy"):
        say("STATE", state={"data": state})
        return
    stream = {"stream_descriptor": {"name": name}, "stream_state": state}
    say("STATE", state={"type": "STREAM", "stream": stream, **more})


def seen(config: dict[str, Any], state: Any) -> int:
    if state is None:
        return 0
    found: int = state["seen"] if config.get("legacy") else state[0]["stream"]["stream_state"]["seen"]
    return found


def before(config: dict[str, Any], number: int) -> None:
    """Do what goes wrong ahead of a record."""
    fault = config.get("fault")
    if fault == "die" and number == config["after"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "incomplete" and number == config["after"]:
        sys.exit(0)
    if fault == "empty":
        put('{"type": "RECORD", "record": {"stream": "people"}}')
    if fault == "garbage":
        put(f"hello {config['token']}")
        put('{"type": "RECORD", "record": {"data": {"id": NaN, "Name": "nan"}}}')
        put('{"type":"RECORD","rec')


def people(config: dict[str, Any], state: Any, follows: bool) -> None:
    records = config.get("records")
    if records is None:
        numbers = json.loads(Path(config["file"]).read_text())
        records = [{"id": n, "Name": f"n{n}", "note": "x"} for n in numbers]
        records = [r for r in records if not follows or r["id"] > seen(config, state)]
    for number, record in enumerate(records):
        before(config, number)
        say("RECORD", record={"stream": PEOPLE, "data": record, "emitted_at": 1})
        if number % 2 and follows:
            count = 9.0 if config.get("fault") == "lost" else 2.0
            pass_state(config, PEOPLE, {"seen": record["id"]}, sourceStats={"recordCount": count})
    if records and follows:
        pass_state(config, PEOPLE, {"seen": records[-1]["id"]})


def read(config: dict[str, Any], catalog: Any, state: Any) -> None:
    (stream,) = catalog["streams"]
    say("TRACE", trace={"type": "STREAM_STATUS", "stream_status": {"status": "STARTED"}})
    if stream["stream"]["name"] == PEOPLE:
        people(config, state, stream["sync_mode"] == "incremental")
    else:
        for code in ("br", "pt"):
            say("RECORD", record={"stream": COUNTRIES, "data": {"code": code}})
        pass_state(config, COUNTRIES, {"done": True})
    say("TRACE", trace={"type": "STREAM_STATUS", "stream_status": {"status": "COMPLETE"}})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    for name in ("config", "catalog", "state"):
        parser.add_argument("--" + name)
    asked = parser.parse_args()
    config = told(asked.config) or {}
    assert "LAGOA_CANARY" not in os.environ
    assert not config or config["token"] not in " ".join(sys.argv)
    if config.get("at", "read") == asked.command:
        misbehave(config.get("fault", ""), config.get("token", ""))
    if asked.command == "spec":
        say("SPEC", spec={"connectionSpecification": SPEC})
    elif asked.command == "check":
        status = "SUCCEEDED" if config["token"].startswith("c4n@ry") else "FAILED"
        say("CONNECTION_STATUS", connectionStatus={"status": status, "message": f"who is {config['token']}"})
    elif asked.command == "discover":
        say("LOG", log={"level": "INFO", "message": "looking"})
        say("CATALOG", catalog={"streams": config.get("catalog") or CATALOG})
    else:
        read(config, told(asked.catalog), told(asked.state))


if __name__ == "__main__":
    main()
