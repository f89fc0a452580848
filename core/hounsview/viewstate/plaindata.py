"""Parts of a view to plain data, ready for JSON, and back.

The key of a field is its name, or what its metadata say under ``"key"``; ``"part"`` names
the class of a nested part there, ``"parts"`` that of each in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

from hounsview.errors import ArgumentError
from hounsview.viewstate import checks

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Return a part as dict, list, number, str, bool or None."""
    if is_dataclass(value):
        plain = {
            key_of(f): to_plain(getattr(value, f.name)) for f in fields(value) if _stored(f)
        }
        return merged(plain, getattr(value, "extra", {}))
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], values: Any, name: str) -> T:
    """Return a part of plain data; missing keys get their defaults.

    Raises
    ------
    ArgumentError
        If a value is off, or one without a default is missing.
    """
    checks.is_a(values, Mapping, name)
    known = {key_of(f): f for f in fields(kind) if _stored(f)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in values.items():
        field = known.get(key)
        if field is None:
            extra[key] = value
            continue
        given[field.name] = _converted(field, value, key)
        if left := _left_over(field, value):
            extra[key] = left
    missing = [key for key, f in known.items() if f.name not in given and _is_needed(f)]
    if missing:
        msg = f"{name} lacks {', '.join(missing)}"
        raise ArgumentError(msg)
    if _keeps_extra(kind):
        given["extra"] = extra
    return kind(**given)


def key_of(field: Field[Any]) -> str:
    """Return the key of a field in JSON."""
    key: str = field.metadata.get("key", field.name)
    return key


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`, nested mappings merged alike."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def _stored(field: Field[Any]) -> bool:
    return field.name != "extra"


def _keeps_extra(kind: Any) -> bool:
    return any(f.name == "extra" for f in fields(kind))


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _converted(field: Field[Any], value: Any, key: str) -> Any:
    if "part" in field.metadata:
        return None if value is None else from_plain(field.metadata["part"], value, key)
    if "parts" in field.metadata:
        checks.is_a(value, list, key)
        each = field.metadata["parts"]
        return tuple(from_plain(each, item, f"each of {key}") for item in value)
    return value


def _left_over(field: Field[Any], value: Any) -> dict[str, Any]:
    """Return unknown keys of a part that cannot keep them itself, such as a window."""
    kind = field.metadata.get("part")
    if kind is None or value is None or _keeps_extra(kind):
        return {}
    known = {key_of(f) for f in fields(kind)}
    return {key: below for key, below in value.items() if key not in known}
