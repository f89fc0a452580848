"""The Python script that makes the same picture: what "copy as Python" copies."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final

_LINE: Final = 80
_HOMES: Final = ("hounsview.viewstate", "hounsview.windows")


def script_of(state: Any, source: str, size: tuple[int, int]) -> str:
    """Return the script; `source` is the code that gives the volume."""
    used: set[str] = set()
    view = _expression(state, used, "")
    names = {home: sorted(n for n in used if _home(n) == home) for home in _HOMES}
    imports = "".join(f"from {h} import {', '.join(n)}\n" for h, n in names.items() if n)
    return (
        '"""The picture of one view, as hounsview showed it."""\n\n'
        "from pathlib import Path\n\n"
        "import hounsview as hv\n"
        f"{imports}"
        "from hounsview_vizapp.pictures import picture_of, save_png\n\n"
        f"volume = {source}\n"
        f"state = {view}\n"
        f"save_png(picture_of(volume, state, size={tuple(size)}), Path('picture.png'))\n"
    )


def _home(name: str) -> str:
    return "hounsview.windows" if name == "Window" else "hounsview.viewstate"


def _expression(value: Any, used: set[str], indent: str) -> str:
    """Return the code of a value; of a part only what differs from its defaults."""
    inner = indent + "    "
    if isinstance(value, tuple) and any(map(is_dataclass, value)):
        name, items = "", [_expression(each, used, inner) + "," for each in value]
    elif is_dataclass(value):
        name = type(value).__name__
        used.add(name)
        items = [
            f"{each.name}={_expression(getattr(value, each.name), used, inner)},"
            for each in fields(value)
            if not _is_default(each, getattr(value, each.name))
        ]
    else:
        return repr(value)
    line = f"{name}({' '.join(items).removesuffix(',') if name else ' '.join(items)})"
    if "\n" not in line and len(indent) + len(line) <= _LINE:
        return line
    return f"{name}(\n" + "".join(f"{inner}{item}\n" for item in items) + f"{indent})"


def _is_default(field: Field[Any], value: Any) -> bool:
    if field.name == "extra":
        return True  # Keys that this version does not know change no picture.
    if field.default is not MISSING:
        return bool(value == field.default)
    return field.default_factory is not MISSING and bool(value == field.default_factory())
