"""A stand-in for docker and podman: it runs the tests' connector as the arguments of `run` say, apart from its client.

It shows that those arguments are what a container needs, and that one ends with its run. It shows nothing of an engine.
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
STATE = HERE / "engine"
CONNECTOR = HERE / "connector.py"


def image(command: str, name: str) -> int:
    held = STATE / ("image-" + name.replace("/", "_"))
    if command == "pull" and "gone" in name:
        sys.stderr.write(f"Error response from daemon: manifest for {name} not found: manifest unknown\n")
        return 1
    if command == "pull":
        held.touch()
    return 0 if held.exists() else 1


def mounted(root: Path, written: str) -> tuple[str, Path]:
    """Give the path inside and the file that stands for it, which the container's user can read and nobody change."""
    (fields,) = csv.reader([written])
    said = dict(field.partition("=")[::2] for field in fields)
    assert said["type"] == "bind"
    assert "readonly" in said
    assert ("relabel" in said) is (Path(__file__).name == "podman")
    source = Path(said["source"])
    assert source.stat().st_mode & 0o777 == 0o644
    assert source.parent.stat().st_mode & 0o777 == 0o700
    copy = root / source.name
    shutil.copyfile(source, copy)
    copy.chmod(0o600)
    return said["target"], copy


def run(words: list[str]) -> int:
    assert words.pop(0) == "--rm"
    assert words.pop(0) == "--name"
    name = words.pop(0)
    root = STATE / name
    root.mkdir(mode=0o700)
    files = {}
    while words[0] == "--mount":
        inside, copy = mounted(root, words[1])
        files[inside], words = str(copy), words[2:]
    assert image("inspect", words[0]) == 0
    argv = [sys.executable, str(CONNECTOR), *(files.get(word, word) for word in words[1:])]
    started = subprocess.Popen(
        argv, cwd=root, env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, start_new_session=True
    )
    (STATE / f"{name}.pid").write_text(str(started.pid))
    signal.signal(signal.SIGTERM, lambda *_: started.terminate())
    assert started.stdout is not None
    while chunk := os.read(started.stdout.fileno(), 1 << 16):
        os.write(1, chunk)
    code = started.wait()
    shutil.rmtree(root)
    (STATE / f"{name}.pid").unlink()
    return code if code >= 0 else 128 - code


def remove(name: str) -> int:
    held = STATE / f"{name}.pid"
    if not held.exists():
        return 1
    with suppress(ProcessLookupError):
        os.killpg(int(held.read_text()), signal.SIGKILL)
    shutil.rmtree(STATE / name, ignore_errors=True)
    held.unlink()
    return 0


def main() -> int:
    STATE.mkdir(exist_ok=True)
    command, *words = sys.argv[1:]
    with (STATE / "said").open("a") as file:
        file.write(" ".join(sys.argv[1:]) + "\n")
    if command == "run":
        return run(words)
    if command == "rm":
        assert words[0] == "--force"
        return remove(words[1])
    return image("inspect" if command == "image" else command, words[-1])


if __name__ == "__main__":
    sys.exit(main())
