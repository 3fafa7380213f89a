"""Where a project runs: the target that was asked for, and the one through which it falls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lagoa.errors import CommandError, ProjectError, did_you_mean
from lagoa.project.reading import Reading, later
from lagoa.project.tree import PROJECT_FILE
from lagoa.project.yaml import Document
from lagoa.registry import names
from lagoa.spec.project import ProjectFile, Target


@dataclass(frozen=True)
class Deferred:
    """The target in whose lake a deferring target reads what it has not of its own; nothing is written there."""

    target: str
    lake: Path


def lake_of(root: Path, target: Target) -> Path:
    """Return the folder of a target's lake, absolute, links followed."""
    return (root / Path(target.lake).expanduser()).resolve()


def chosen_target(reading: Reading, root: Path, file: ProjectFile, name: str, document: Document) -> Target:
    """Find the target that was asked for; what is wrong with it, or with any `defer:`, are findings.

    Raises CommandError LG-601 when there is no such target.
    """
    if name not in file.targets:
        known = ", ".join(sorted(file.targets))
        hint = did_you_mean(name, file.targets) or f"the targets are {known}"
        raise CommandError("LG-601", f"{PROJECT_FILE} declares no target `{name}`", hint=hint)
    target = file.targets[name]
    at = ("targets", name)
    if "://" in target.lake:
        hint = "a lake is a folder for now"
        reading.findings.append(later("lakes in object storage", document.at((*at, "lake")), hint))
    engines = names("engines")
    if target.engine not in engines:
        message = f"`{target.engine}` is not one of the engines: {', '.join(engines)}"
        meant = did_you_mean(target.engine, engines)
        reading.findings.append(ProjectError("LG-111", message, place=document.at((*at, "engine")), hint=meant))
    reading.findings.extend(_wrong_defers(root, file.targets, document))
    return target


def deferred(root: Path, file: ProjectFile, name: str) -> Deferred | None:
    """Return where a target reads what it has not of its own; None when it holds everything itself."""
    other = file.targets[name].defer
    return Deferred(other, lake_of(root, file.targets[other])) if other is not None else None


def deferring(root: Path, file: ProjectFile, name: str) -> tuple[Path, ...]:
    """List the lakes of the targets that read this one's tables."""
    return tuple(lake_of(root, target) for target in file.targets.values() if target.defer == name)


def _wrong_defers(root: Path, targets: Mapping[str, Target], document: Document) -> Iterator[ProjectError]:
    for name, target in targets.items():
        if target.defer is None:
            continue
        wrong = _wrong_defer(root, targets, name, target.defer)
        if wrong is not None:
            yield ProjectError(*wrong[:2], place=document.at(("targets", name, "defer")), hint=wrong[2])


def _wrong_defer(
    root: Path, targets: Mapping[str, Target], name: str, other: str
) -> tuple[str, str, str | None] | None:
    """Say what is wrong with a `defer:`: code, message, hint."""
    if other not in targets:
        known = ", ".join(sorted(set(targets) - {name}))
        hint = did_you_mean(other, set(targets) - {name}) or f"the targets are {known}"
        return "LG-102", f"`{name}` defers to `{other}`, which is not a target", hint
    path = _circle(targets, name)
    if path:
        words = " defers to ".join(f"`{n}`" for n in (*path, name))
        message = f"`{name}` defers to itself" if len(path) == 1 else f"the targets go in a circle: {words}"
        first = name == min(path)  # a circle is one error, not one for each target
        return ("LG-108", message, "let one of them hold every table: remove its `defer:`") if first else None
    further = targets[other].defer
    if further is not None:
        message = f"`{name}` defers to `{other}`, which does not hold every table itself: it defers to `{further}`"
        return "LG-102", message, f"`defer: {further}`" if further in targets else None
    mine, theirs = lake_of(root, targets[name]), lake_of(root, targets[other])
    if mine.is_relative_to(theirs) or theirs.is_relative_to(mine):
        message = f"`{name}` must have a lake apart from that of `{other}`, to which it defers: {targets[other].lake}"
        return "LG-102", message, f"`lake: ./{name}`"
    return None


def _circle(targets: Mapping[str, Target], name: str) -> list[str]:
    """Return the way from a target back to itself; empty when there is none."""
    path, following = [name], targets[name].defer
    while following is not None and following in targets and following not in path:
        path.append(following)
        following = targets[following].defer
    return path if following == name else []
