"""Writes YAML as a person would: what holds no mapping stands on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import yaml
from yaml.nodes import CollectionNode


def as_yaml(value: Mapping[str, Any], width: int = 110) -> str:
    """Write YAML: what holds no mapping stands on one line."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width, default_flow_style=None
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and indents lists."""

    def represent(self, data: Any) -> None:
        """Write the outermost mapping with a line for each key."""
        node = cast("CollectionNode", self.represent_data(data))
        node.flow_style = False
        self.serialize(node)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class names it
        """Say that everything is written out."""
        return True
