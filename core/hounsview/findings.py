"""What was found in a series: findings, and the report that collects them.

A finding is a fact about the input, said in words for a person; its code is a
handle for programs. Every code is listed in `CODES` and explained in
docs/findings.md (a test keeps the two equal).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final


class Severity(StrEnum):
    """How much a finding weighs."""

    NOTE = "note"
    WARNING = "warning"
    REPAIR = "repair"
    REFUSAL = "refusal"


class Status(StrEnum):
    """What became of a series; the strongest of its findings decides."""

    OK = "ok"
    REPAIRED = "repaired"
    SPLIT = "split"
    REFUSED = "refused"


_NOTE, _WARNING = Severity.NOTE, Severity.WARNING
_REPAIR, _REFUSAL = Severity.REPAIR, Severity.REFUSAL

CODES: Final[dict[str, Severity]] = {
    "NO_PREAMBLE": _NOTE,
    "NO_SERIES_UID": _NOTE,
    "RESCALE_TYPE_ASSUMED": _NOTE,
    "RESCALE_VARIES": _NOTE,
    "MODALITY_LUT_APPLIED": _NOTE,
    "PADDING_REPLACED": _NOTE,
    "SATURATED": _NOTE,
    "SINGLE_SLICE": _NOTE,
    "THICKNESS_DIFFERS": _NOTE,
    "POSITION_JITTER": _NOTE,
    "LEFT_OUT": _NOTE,
    "STORED_VALUES": _NOTE,
    "IMPORTED": _NOTE,
    "UNIT_GIVEN": _NOTE,
    "VALUES_ROUNDED": _NOTE,
    "VALUES_SHIFTED": _NOTE,
    "DEFACED": _NOTE,
    "LENGTH_UNIT_ASSUMED": _NOTE,
    "PADDING_WITHOUT_TAG": _WARNING,
    "PADDING_LIKE_TISSUE": _WARNING,
    "OFFSET_DATA": _WARNING,
    "BITS_ABOVE_STORED": _WARNING,
    "CONCATENATION_INCOMPLETE": _WARNING,
    "FRAME_OF_REFERENCE_VARIES": _WARNING,
    "LOSSY": _WARNING,
    "SIGN_MISMATCH": _WARNING,
    "TRANSFER_SYNTAX_WRONG": _WARNING,
    "SOP_CLASS_UNKNOWN": _WARNING,
    "ORIENTATION_NOT_UNIT": _WARNING,
    "THICKNESS_ASSUMED": _WARNING,
    "UNREADABLE_FILE": _WARNING,
    "UNIT_UNKNOWN": _WARNING,
    "NOT_FINITE": _WARNING,
    "POSITION_UNKNOWN": _WARNING,
    "POSITIONS_DISAGREE": _WARNING,
    "FINDINGS_DROPPED": _WARNING,
    "SERIES_SPLIT": _WARNING,
    "DUPLICATE_DROPPED": _REPAIR,
    "SLICE_LOST": _REPAIR,
    "SLICE_UNREADABLE": _REPAIR,
    "END_SLICE_UNREADABLE": _REPAIR,
    "UNEVEN_SPACING": _REPAIR,
    "GANTRY_TILT": _REPAIR,
    "NOT_CT": _REFUSAL,
    "NOT_DICOM": _REFUSAL,
    "NOT_HU": _REFUSAL,
    "LOCALIZER": _REFUSAL,
    "RESCALE_MISSING": _REFUSAL,
    "RESCALE_INVALID": _REFUSAL,
    "PIXEL_FORMAT": _REFUSAL,
    "PIXELS_UNDECODABLE": _REFUSAL,
    "SYNTAX_UNSUPPORTED": _REFUSAL,
    "LIMIT_EXCEEDED": _REFUSAL,
    "GEOMETRY_MISSING": _REFUSAL,
    "GEOMETRY_INVALID": _REFUSAL,
    "SAME_POSITION": _REFUSAL,
    "DUPLICATE_DIFFERS": _REFUSAL,
    "UNEVEN_BEYOND_REPAIR": _REFUSAL,
    "REPAIR_NOT_ALLOWED": _REFUSAL,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the input.

    Parameters
    ----------
    code : str
        One of `CODES`; it decides the severity.
    message : str
        The fact in words, with the values and units on both sides.
    files : tuple of Path
        The files it speaks of; empty when it speaks of the whole series.
    tag : str
        The DICOM attribute, such as ``"PixelSpacing (0028,0030)"``; may be empty.
    action : str
        What was done, or what a person can do.
    """

    code: str
    message: str
    files: tuple[Path, ...] = ()
    tag: str = ""
    action: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            msg = f"unknown finding code {self.code!r}"
            raise ValueError(msg)

    @property
    def severity(self) -> Severity:
        """How much it weighs: note, warning, repair or refusal."""
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.message}. {self.action}" if self.action else self.message


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one stack of slices.

    Parameters
    ----------
    findings : tuple of Finding
        In the order in which they were found.
    """

    findings: tuple[Finding, ...] = field(default=())

    @property
    def status(self) -> Status:
        """``"ok"``, ``"repaired"``, ``"split"`` or ``"refused"``: the strongest wins."""
        if self.of(Severity.REFUSAL):
            return Status.REFUSED
        if any(finding.code == "SERIES_SPLIT" for finding in self.findings):
            return Status.SPLIT
        return Status.REPAIRED if self.of(Severity.REPAIR) else Status.OK

    def of(self, severity: Severity | str) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(f for f in self.findings if f.severity == severity)

    def has(self, code: str) -> bool:
        """Return whether a finding with this code is there."""
        return any(finding.code == code for finding in self.findings)

    def adding(self, findings: Iterable[Finding]) -> Report:
        """Return a report that also holds these findings; repeated ones once."""
        merged = dict.fromkeys((*self.findings, *findings))
        return replace(self, findings=tuple(merged))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, ready for JSON."""
        return {
            "status": str(self.status),
            "findings": [
                {
                    "code": f.code,
                    "severity": str(f.severity),
                    "message": f.message,
                    "files": [str(path) for path in f.files],
                    "tag": f.tag,
                    "action": f.action,
                }
                for f in self.findings
            ],
        }

    @classmethod
    def from_dict(cls, plain: Any) -> Report:
        """Return the report that `to_dict` made plain data of.

        Severities and the status follow from the codes and are not read.

        Raises
        ------
        ValueError
            If something else stands there than findings with known codes.
        """
        entries = plain.get("findings") if isinstance(plain, dict) else None
        if not isinstance(entries, list):
            msg = "a report is a mapping with a list of findings"
            raise ValueError(msg)
        return cls(tuple(_finding_of(entry) for entry in entries))

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def __str__(self) -> str:
        lines = [f"status: {self.status}"]
        lines += [f"  {f.severity}: {f} [{f.code}]" for f in self.findings]
        return "\n".join(lines)


def _finding_of(entry: Any) -> Finding:
    """Return the finding of plain data; ValueError for anything else."""
    words = {}
    if isinstance(entry, dict):
        words = {name: entry.get(name, "") for name in ("code", "message", "tag", "action")}
    files = entry.get("files", []) if words else None
    if not isinstance(files, list) or not all(
        isinstance(text, str) for text in (*words.values(), *files)
    ):
        msg = f"a finding has a code, a message and files, which {str(entry)[:80]!r} has not"
        raise ValueError(msg)
    return Finding(**words, files=tuple(Path(file) for file in files))
