"""The view, observable: `hounsview.ViewState` with notifications, undo and redo.

Traitlets alone; no voxels, no toolkit. Every front end observes the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from threading import RLock
from typing import Any, Final

from traitlets import Bunch, HasTraits, TraitType

from hounsview.errors import ArgumentError
from hounsview.viewstate import ViewState
from hounsview_vizapp.history import History

Follower = Callable[[ViewState, ViewState], object]

# One for all states: where two are linked, two threads that change one each would wait for
# each other for ever.
_LOCK: Final = RLock()


class _Field(TraitType[Any, Any]):
    """One field of the view: read from it, and set by way of `ViewerState.change`."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        return getattr(obj.value, str(self.name))

    def set(self, obj: Any, value: Any) -> None:
        obj.change(**{str(self.name): value})


class _Whole(TraitType[ViewState, ViewState]):
    """The view itself."""

    def get(self, obj: Any, cls: Any = None) -> ViewState:
        view: ViewState = obj._value
        return view

    def set(self, obj: Any, value: Any) -> None:
        if not isinstance(value, ViewState):
            msg = f"value must be a ViewState, not {value!r}"
            raise ArgumentError(msg)
        obj._replace(value, None)


class ViewerState(HasTraits):
    """A view that can be observed, undone, and changed in batches.

    It has a trait for each field of `hounsview.ViewState`, and `value`, the whole view,
    which changes once for each batch: what draws observes `value`. Values may be given in
    short, as `ViewState.changed` takes them: ``state.window = "lung"``. A value that is
    refused (ArgumentError) leaves everything as it was.

    Parameters
    ----------
    value : ViewState, optional
        Where to begin.
    **changes
        Fields that differ from it.
    """

    value = _Whole()
    window = _Field()
    colormap = _Field()
    crosshair = _Field()
    oblique = _Field()
    axial = _Field()
    coronal = _Field()
    sagittal = _Field()
    slab = _Field()
    layout = _Field()
    show_labels = _Field()
    show_crosshair = _Field()
    rendering = _Field()
    rendering_beside = _Field()
    transfer = _Field()
    quality = _Field()
    camera = _Field()
    crop = _Field()
    show_volume = _Field()
    show_planes = _Field()
    show_table = _Field()
    surfaces = _Field()
    measurements = _Field()
    overlays = _Field()
    extra = _Field()

    def __init__(self, value: ViewState | None = None, **changes: Any) -> None:
        super().__init__()
        self._value = (ViewState() if value is None else value).changed(**changes)
        self._lock = _LOCK
        self._history = History()
        self._depth = 0
        self._told = self._value
        self._gesture: ViewState | None = None
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Call `follower(old, new)` after each batch, before observers, whatever they raise."""
        with self._lock:
            self._followers.append(follower)

    def unfollow(self, follower: Follower) -> None:
        """Call it no longer."""
        with self._lock:
            self._followers.remove(follower)

    def change(self, *, merge: str | None = None, **changes: Any) -> None:
        """Change fields together: one step to undo, one notification.

        Parameters
        ----------
        merge : str, optional
            Steps in a row with the same word are undone together.
        **changes
            As for `ViewState.changed`.

        Raises
        ------
        ArgumentError
            If any is off; then none is changed.
        """
        with self._lock:
            self._replace(self._value.changed(**changes), merge)

    @contextmanager
    def batch(self, merge: str | None = None) -> Iterator[None]:
        """Make all changes inside one step and one notification; all of them or none."""
        with self._lock:
            before = self._value
            self._depth += 1
            try:
                yield
            except BaseException:
                self._value = before
                raise
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._record(before, merge)
                    self._tell()

    def begin_gesture(self) -> None:
        """From now on changes are told at once, but are one step: until `end_gesture`."""
        with self._lock:
            self.end_gesture()
            self._gesture = self._value

    def end_gesture(self) -> None:
        """End what `begin_gesture` began; nothing if there is none."""
        with self._lock:
            before, self._gesture = self._gesture, None
            if before is not None:
                self._record(before, None)

    @property
    def in_gesture(self) -> bool:
        """Whether a person is dragging."""
        return self._gesture is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return self._history.can_undo or (
            self._gesture is not None and self._gesture != self._value
        )

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return self._history.can_redo

    def undo(self) -> None:
        """Go back one step."""
        with self._lock:
            self.end_gesture()
            self._value = self._history.undo(self._value)
            self._tell()

    def redo(self) -> None:
        """Do again the step undone last."""
        with self._lock:
            self.end_gesture()
            self._value = self._history.redo(self._value)
            self._tell()

    def end_merging(self) -> None:
        """Let the next step stand alone: the wheel came to rest."""
        self._history.end_merging()

    def start_over(self, value: ViewState) -> None:
        """Show another view and forget what can be undone: another volume was opened."""
        with self._lock:
            self._gesture = None
            self._value = value
            self._history.clear()
            self._tell()

    def to_python(self, *arguments: Any, **options: Any) -> str:
        """Return the script that draws this view; see `ViewState.to_python`."""
        return self._value.to_python(*arguments, **options)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the view as JSON text."""
        return self._value.to_json(indent=indent)

    def _replace(self, after: ViewState, merge: str | None) -> None:
        with self._lock:
            before, self._value = self._value, after
            if self._depth:
                return
            self._record(before, merge)
            self._tell()

    def _record(self, before: ViewState, merge: str | None) -> None:
        if self._gesture is None and before != self._value:
            self._history.record(before, merge)

    def _tell(self) -> None:
        """Notify of each field that differs from what was told last, and of the whole."""
        if self._depth:
            return
        old, self._told = self._told, self._value
        if old == self._told and old.extra == self._told.extra:
            return
        new = self._told
        for follow in list(self._followers):
            follow(old, new)
        error: Exception | None = None
        for name in ("value", *(each.name for each in fields(ViewState))):
            before, after = (old, new) if name == "value" else (
                getattr(old, name), getattr(new, name)
            )  # fmt: skip
            if before is not after and before != after:
                change = Bunch(name=name, old=before, new=after, owner=self, type="change")
                try:
                    self.notify_change(change)
                except Exception as raised:
                    # Links of other fields must hear of them nevertheless.
                    error = error or raised
        if error is not None:
            raise error
