"""Times a list of 1,000 pages from an HTTP server to a Delta table, against the server's own rate and a plain loop.

`python bench/rest.py [--pages 1000] [--rows 100] [--delay 0.04] [--at-once 8] [--rounds 3]` prints, in one run: what
the server gives to 8 bare connections that throw all away and a whole `lagoa run` with `parallel: 8`, in turn; and
requests one after the other on one connection, their rows parsed and thrown away. The server is a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _measure import lagoa

SERVER = """
import sys
from threading import BoundedSemaphore
from lagoa.testing.web import Reply, Web
pages, rows, delay, at_once = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
gate = BoundedSemaphore(at_once)
import json, time
def page(asked):
    nth = int(asked.query["page"])
    with gate:
        time.sleep(delay)
    first = (nth - 1) * rows
    return [{"id": n, "name": f"customer {n}", "amount": n / 4, "at": "2024-01-01T00:00:00Z"}
            for n in range(first, first + rows if nth <= pages else first)]
with Web() as web:
    web.route("/rows", page)
    print(web.port, flush=True)
    sys.stdin.read()
"""
SOURCE = """\
type: rest
url: http://127.0.0.1:{port}
allow_private: true
parallel: {parallel}
streams:
  rows: {{path: /rows, paging: {{by: page}}, mode: merge, key: id}}
"""


def one_by_one(port: int) -> float:
    """Ask for page after page until one is empty."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    page = 1
    while True:
        connection.request("GET", f"/rows?page={page}")
        if not json.loads(connection.getresponse().read()):
            return time.perf_counter() - began
        page += 1


def bare(port: int, pages: int, at_once: int) -> float:
    """Ask for all pages with as many connections as the server serves at once, and look at none."""
    began = time.perf_counter()

    def some(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for page in range(first, pages + 1, at_once):
            connection.request("GET", f"/rows?page={page}")
            connection.getresponse().read()

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(some, range(1, at_once + 1)))
    return time.perf_counter() - began


def ours(port: int, parallel: int, folder: Path) -> float:
    """Run a project that reads the list."""
    (folder / "sources").mkdir()
    (folder / "lagoa.yml").write_text("name: bench\ntargets: {local: {threads: 2}}\n")
    (folder / "sources/api.yml").write_text(SOURCE.format(port=port, parallel=parallel))
    return lagoa(folder, "run").seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--delay", type=float, default=0.04)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    command = [sys.executable, "-c", SERVER, *(str(v) for v in (said.pages, said.rows, said.delay, said.at_once))]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert server.stdin and server.stdout
    port = int(server.stdout.readline())
    try:
        took: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(said.rounds):
            took["bare"].append(bare(port, said.pages, said.at_once))
            with tempfile.TemporaryDirectory() as folder:
                took["ours"].append(ours(port, said.at_once, Path(folder)))
        best, whole = statistics.median(took["bare"]), statistics.median(took["ours"])
        alone = one_by_one(port)
    finally:
        server.stdin.close()
        server.wait()
    print(f"{said.pages:,} pages of {said.rows} rows, {said.delay * 1000:.0f} ms each, {said.at_once} at once")
    print(f"  bare connections         {best:6.1f} s")
    print(f"  lagoa run                {whole:6.1f} s   {whole / best:.2f} x as long")
    print(f"  requests one by one      {alone:6.1f} s   lagoa is {alone / whole:.1f} times as fast")


if __name__ == "__main__":
    main()
