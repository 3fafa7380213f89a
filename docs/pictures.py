"""Draws docs/pictures/*.svg: what the commands print, from real runs in an empty folder."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from lagoa.cli import screen
from lagoa.cli.main import invoke
from lagoa.cli.settings import Settings

PICTURES = Path(__file__).resolve().parent / "pictures"
WIDTH = 104
_PROGRESS = re.compile(r"\S+: (published version|failed: |blocked: |skipped: )|[\d,]+ rows? in ")
_WATER = TerminalTheme(
    (0xF4, 0xF7, 0xF7),
    (0x11, 0x20, 0x1F),
    [
        (0x11, 0x20, 0x1F),
        (0xB8, 0x26, 0x1C),
        (0x17, 0x72, 0x45),
        (0x8F, 0x5A, 0x00),
        (0x1D, 0x5F, 0xBF),
        (0x8A, 0x2F, 0x86),
        (0x0A, 0x61, 0x5E),
        (0x40, 0x53, 0x54),
    ],
)
"""The colours of the web pages' light theme, so that a picture is no stranger beside them."""
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">
<title>{title}</title>
<style>
.{unique_id}-matrix {{
  font-family: "Geist Mono", ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; white-space: pre; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
<rect fill="#f4f7f7" stroke="#dde5e5" x="0.5" y="0.5" width="{frame_width}" height="{frame_height}" rx="10"/>
<g transform="translate(18, 14)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def said(*args: str) -> tuple[int, str]:
    """Run a command as on a terminal of WIDTH columns; return its exit code and its words, without progress."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = invoke(list(args), Settings())
    kept = [line for line in err.getvalue().splitlines() if not _PROGRESS.match(line)]
    told = "\n".join(kept).strip("\n")
    return code, out.getvalue().rstrip("\n") + ("\n\n" if out.getvalue() and told else "") + told


def draw(name: str, title: str, *commands: tuple[str, ...], rows: int = 0) -> None:
    """Run commands and draw what a person sees; `rows` cuts the picture."""
    lines: list[Text] = []
    for command in commands:
        shown = " ".join(f'"{word}"' if " " in word else word for word in command)
        lines += [
            Text(f"$ lagoa {shown}", "bold cyan"),
            *Text.from_ansi(said(*command)[1]).split(allow_blank=True),
            Text(),
        ]
    lines = lines[: rows or -1]
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    folded = [part for line in lines for part in line.wrap(console, WIDTH, overflow="fold")]
    for part in folded:
        console.print(part)
    svg = console.export_svg(title=title, theme=_WATER, code_format=_frame(len(folded), title), unique_id=name)
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def _frame(lines: int, title: str) -> str:
    """Fit the frame to the text: rich's own numbers leave room for a title bar that we do not draw."""
    width, height = WIDTH * 12.2 + 36, lines * 24.4 + 34
    text = (
        _FRAME.replace("{title}", title)
        .replace("{frame_width}", f"{width - 1:.0f}")
        .replace("{frame_height}", f"{height - 1:.0f}")
    )
    return text.replace('viewBox="0 0 {width} {height}"', f'viewBox="0 0 {width:.0f} {height:.0f}"')


def main() -> int:
    """Draw all pictures."""
    PICTURES.mkdir(exist_ok=True)
    setattr(screen, "colour", lambda _: True)  # noqa: B010  # a terminal is played, for a picture
    setattr(screen, "width", lambda _: WIDTH)  # noqa: B010  # as above
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        said("init", "shop")
        os.chdir("shop")
        draw("run", "lagoa run: what became of each table", ("run",), ("run",))
        draw("show", "lagoa show TABLE: columns, checks, sample, versions", ("show", "silver.customers"))
        changed = Path("models/gold/best_products.sql")
        changed.write_text(changed.read_text("utf-8").replace("sum(quantity)", "count(*)"), "utf-8")
        Path("models/gold/channels.sql").write_text(
            "select channel, sum(amount) as revenue from silver.sales group by 1\n"
        )
        draw("plan", "lagoa plan: what a run would do, and why", ("plan",))
        model = Path("models/gold/best_products.sql")
        model.write_text(model.read_text("utf-8").replace("silver.sales", "silver.sale"), "utf-8")
        source = Path("sources/shop.yml")
        source.write_text(source.read_text("utf-8").replace("mode: append", "mod: append", 1), "utf-8")
        draw("error", "lagoa validate: two errors at once, each with file, line and hint", ("validate",))
        os.chdir(PICTURES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
