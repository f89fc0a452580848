"""What is remembered from one start to the next: recent scans and a person's own presets.

Plain JSON in the user's folder for settings. A damaged file is put aside, not fatal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hounsview.errors import ArgumentError, WriteError
from hounsview.presets import rendering_presets
from hounsview.viewstate import Transfer, checks
from hounsview.viewstate.plaindata import from_plain, to_plain
from hounsview.viewstate.state import parsed_json
from hounsview.writing import atomic_file

_MOST_RECENT: Final = 12
_LARGEST_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class OwnPreset:
    """A rendering preset as a person changed it.

    Parameters
    ----------
    rendering : str
        Name of the built-in preset that it began with.
    transfer : Transfer
    """

    rendering: str
    transfer: Transfer

    def __post_init__(self) -> None:
        checks.one_of(self.rendering, rendering_presets(), "rendering preset")


def settings_folder() -> Path:
    """Return the user's folder for settings; ``HOUNSVIEW_SETTINGS`` names another."""
    from platformdirs import user_config_path

    named = os.environ.get("HOUNSVIEW_SETTINGS")
    return Path(named) if named else user_config_path("hounsview", appauthor=False)


class Settings:
    """Reads and writes the files of one folder.

    Parameters
    ----------
    folder : Path, optional
        `settings_folder()` by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = settings_folder() if folder is None else folder

    def recent(self) -> list[str]:
        """Return the paths opened last, the latest first."""
        found = self._read("recent.json").get("paths")
        paths = found if isinstance(found, list) else []
        return [path for path in paths if isinstance(path, str)][:_MOST_RECENT]

    def remember(self, path: str | os.PathLike[str]) -> None:
        """Put a path first in the recent ones.

        Raises
        ------
        WriteError
            If it cannot be kept.
        """
        first = str(Path(path).absolute())
        others = [other for other in self.recent() if other != first]
        self._write("recent.json", {"paths": [first, *others][:_MOST_RECENT]})

    def forget_recent(self) -> None:
        """Forget the paths opened last."""
        self._write("recent.json", {"paths": []})

    def own_presets(self) -> dict[str, OwnPreset]:
        """Return the person's own presets by name; what is damaged is left out."""
        own = {}
        for name, values in self._read("presets.json").items():
            with suppress(ArgumentError):
                checks.is_a(values, Mapping, "preset")
                transfer = from_plain(Transfer, values.get("transfer", {}), "transfer")
                own[checks.text(name, "name")] = OwnPreset(
                    values.get("rendering", ""), transfer
                )
        return own

    def save_preset(self, name: str, preset: OwnPreset) -> None:
        """Save a preset under a name, in place of an older one.

        Raises
        ------
        ArgumentError
            If the name is empty or too long.
        WriteError
            If it cannot be written.
        """
        name = checks.text(name, "preset name").strip()
        if not name:
            msg = "a preset needs a name"
            raise ArgumentError(msg)
        content = self._read("presets.json")
        content[name] = {"rendering": preset.rendering, "transfer": to_plain(preset.transfer)}
        self._write("presets.json", content)

    def remove_preset(self, name: str) -> None:
        """Remove a preset; nothing if there is none of that name."""
        content = self._read("presets.json")
        if content.pop(name, None) is not None:
            self._write("presets.json", content)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            with path.open("rb") as stream:
                content = stream.read(_LARGEST_BYTES)
        except OSError:
            return {}
        try:
            values = parsed_json(content.decode(), "settings")
            return dict(checks.is_a(values, dict, "settings"))
        except (ArgumentError, UnicodeDecodeError):
            with suppress(OSError):
                path.replace(path.with_suffix(".damaged"))
            return {}

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{self.folder}: settings cannot be kept there: {error.strerror}"
            raise WriteError(msg, files=[self.folder]) from error
        with atomic_file(self.folder / name) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", "ascii")
