"""A scene: (volume, state) -> frames, drawn by one thread that owns an off-screen window."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from hounsview.errors import RenderingUnavailableError
from hounsview.tissuemap import TissueMap
from hounsview.viewstate import ViewState
from hounsview.volume import Volume
from hounsview_vizapp.drawing import Picture
from hounsview_vizapp.rendering.stage import Drawn, Job, Rung, Stage
from hounsview_vizapp.rendering.thread import Executor, default_executor
from hounsview_vizapp.rendering.wishes import Frame, Wish, failed, scene_key

T = TypeVar("T")

_MOST_TRIES: Final = 3
_log = logging.getLogger(__name__)
_open: set[Scene] = set()


@dataclass
class _Order:
    """A picture that somebody waits for."""

    wish: Wish
    future: Future[Picture]
    tries: int = 0


class Scene:
    """A volume in 3D, drawn again and again.

    Close it, or use it as a context manager. All methods may be called from any thread.

    Parameters
    ----------
    volume : Volume
        Of unit "HU".
    on_frame : callable, optional
        Called with each `Frame`, in the thread that draws: hand it on and return.
    tissues : TissueMap, optional
        See `show_tissues`.
    executor : Executor, optional
        Where drawing is done; a thread of its own by default.
    """

    def __init__(
        self,
        volume: Volume,
        *,
        on_frame: Callable[[Frame], None] | None = None,
        tissues: TissueMap | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._volume = volume
        self._on_frame = on_frame
        self._executor = executor or default_executor()
        self._making = ThreadPoolExecutor(1, "hounsview-making")
        self._lock = threading.Lock()
        self._closed = False
        self._urgent = 0
        self._wanted: Wish | None = None
        self._last: Wish | None = None
        # From here on: touched by the drawing thread alone.
        self._stage: Stage | None = None
        self._tissues = tissues
        self._failure: Exception | None = None
        self._wish: Wish | None = None
        self._ladder: deque[Rung] = deque()
        self._orders: deque[_Order] = deque()
        self._is_their_turn = False
        self._pending: dict[Job, Future[Any]] = {}
        self._final: tuple[Hashable, Frame] | None = None
        _open.add(self)

    def request(
        self,
        state: ViewState,
        size: tuple[int, int],
        *,
        moving: bool = False,
        pixel_ratio: float = 1.0,
    ) -> None:
        """Ask for frames of a state; never waits, and the latest request wins.

        A first frame comes at once, finer ones when they are ready. After `moving` requests
        one that is not moving is needed, or the picture stays coarse.

        Parameters
        ----------
        state : ViewState
        size : (rows, columns)
            Of the picture, px.
        moving : bool
            Whether it will be replaced at once: then speed counts more than detail.
        pixel_ratio : float
            Pixels of the picture per point of the screen: text grows with it.
        """
        wish = Wish(state, size, moving, pixel_ratio)
        with self._lock:
            if self._closed:
                return
            self._wanted = self._last = wish
            self._executor.post(self._turn)
        self._hurry()

    def picture(
        self, state: ViewState, size: tuple[int, int], *, pixel_ratio: float = 1.0
    ) -> Picture:
        """Return the finest picture of a state, (rows, columns, 3) uint8 RGB; waits for it.

        Raises
        ------
        NotHounsfieldError
            If the unit is not HU.
        RenderingUnavailableError
            If VTK finds no OpenGL, or the scene is closed.
        """
        wish = Wish(state, size, pixel_ratio=pixel_ratio)
        if self._executor.is_here():
            stage = self._opened()
            drawn = stage.draw(wish, stage.rungs(wish)[-1])
            assert drawn is not None  # nothing interrupts it
            return drawn.picture
        order = _Order(wish, Future())
        self._post_or_refuse(partial(self._take, order))
        return order.future.result()

    def run(self, work: Callable[[Any], T]) -> T:
        """Return what `work` returns, called with the pyvista.Plotter in its thread.

        What it adds to the plotter stays in the picture until it removes it; camera,
        lights and size are the scene's. A frame follows where one was asked for before.

        Raises
        ------
        Exception
            Whatever `work` raises.
        RenderingUnavailableError
            If VTK finds no OpenGL, or the scene is closed.
        """
        if self._executor.is_here():
            return self._worked(work)
        future: Future[T] = Future()

        def do() -> None:
            with self._lock:
                self._urgent -= 1
            try:
                future.set_result(self._worked(work))
            except BaseException as error:
                future.set_exception(error)

        with self._lock:
            self._urgent += 1
        self._post_or_refuse(do)
        return future.result()

    def show_tissues(self, tissues: TissueMap) -> None:
        """Take surfaces of tissues from where these are; until then from their HU levels.

        Never waits. A frame follows where one was asked for before.
        """

        def do() -> None:
            self._tissues = tissues
            if self._stage is not None:
                self._stage.show_tissues(tissues)
            self._draw_anew()

        with self._lock:
            if not self._closed:
                self._executor.post(do)

    def close(self) -> None:
        """Take everything away and end the thread; what still waits is refused.

        Waits for what is being made ready, which can take seconds at quality "full".
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._wanted = None
        self._hurry()
        self._making.shutdown(wait=True, cancel_futures=True)
        if self._executor.is_here():
            self._shut()
        else:
            self._executor.post(self._shut)
        self._executor.close()
        _open.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _post_or_refuse(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                raise _closed()
            self._executor.post(work)
        self._hurry()

    def _hurry(self) -> None:
        """Stop a finer picture that is being drawn."""
        stage = self._stage
        if stage is not None:
            stage.interrupt()

    # What follows runs in the drawing thread.

    def _opened(self) -> Stage:
        if self._closed:
            raise _closed()
        if self._failure is not None:
            raise self._failure
        if self._stage is None:
            try:
                self._stage = Stage(self._volume)
                self._stage.show_tissues(self._tissues)
            except Exception as error:
                self._failure = error
                raise
        return self._stage

    def _turn(self) -> None:
        """Do the most urgent thing: a new request, then a picture, then a finer frame.

        Where requests never end, every second turn belongs to the pictures.
        """
        if self._closed:
            return
        try:
            if self._orders and self._is_their_turn and self._serve():
                return
            with self._lock:
                wish, self._wanted = self._wanted, None
            self._is_their_turn = wish is not None
            if wish is not None:
                self._begin(wish)
            elif not (self._orders and self._serve()) and self._ladder:
                self._refine()
        except Exception as error:
            self._fail(error)

    def _again(self) -> None:
        self._executor.post(self._turn)

    def _is_overtaken(self) -> bool:
        return self._wanted is not None or self._urgent > 0 or self._closed

    def _begin(self, wish: Wish) -> None:
        """Answer a new request with a first frame."""
        self._wish = wish
        self._ladder.clear()
        key = (scene_key(wish.state), wish.size, wish.pixel_ratio)
        if self._final is not None and self._final[0] == key and not wish.moving:
            self._send(replace(self._final[1], state=wish.state))
            return
        stage = self._opened()
        rungs = stage.rungs(wish)
        drawn = stage.draw(wish, rungs[0])
        assert drawn is not None  # nothing interrupts it
        self._ladder.extend(rungs[1:])
        self._deliver(wish, drawn)
        self._forget_jobs(stage)
        if self._ladder:
            self._again()

    def _refine(self) -> None:
        """Draw the next finer frame of the last request, if it is ready to be drawn."""
        stage, wish = self._opened(), self._wish
        assert wish is not None
        if not stage.jobs(wish, self._ladder[-1]):
            self._ladder = deque([self._ladder[-1]])
        rung = self._ladder[0]
        if self._submit(stage.jobs(wish, rung)):
            return
        drawn = stage.draw(wish, rung, self._is_overtaken)
        if drawn is not None:
            self._ladder.popleft()
            self._deliver(wish, drawn)
        self._again()

    def _take(self, order: _Order) -> None:
        self._orders.append(order)
        self._turn()

    def _serve(self) -> bool:
        """Draw the next picture that somebody waits for; return whether it could be tried."""
        order = self._orders[0]
        self._is_their_turn = False
        try:
            stage = self._opened()
            rung = stage.rungs(order.wish)[-1]
            if self._submit(stage.jobs(order.wish, rung)):
                return False
            order.tries += 1
            patient = order.tries < _MOST_TRIES
            drawn = stage.draw(order.wish, rung, self._is_overtaken if patient else None)
            if drawn is not None:
                self._orders.popleft()
                order.future.set_result(drawn.picture)
        except Exception as error:
            self._orders.popleft()
            order.future.set_exception(_closed() if self._closed else error)
        self._again()
        return True

    def _submit(self, jobs: list[Job]) -> bool:
        """Have jobs done in the other thread; return whether there are any."""
        stage = self._opened()
        for job in jobs:
            if job not in self._pending:
                future = self._making.submit(stage.make, job, warm=True)
                self._pending[job] = future
                future.add_done_callback(partial(self._made_elsewhere, job))
        return bool(jobs)

    def _forget_jobs(self, stage: Stage) -> None:
        """Cancel what has not begun and belongs to an older request."""
        assert self._wish is not None
        wanted = {job for rung in self._ladder for job in stage.jobs(self._wish, rung)}
        for job, future in list(self._pending.items()):
            if job not in wanted:
                future.cancel()

    def _made_elsewhere(self, job: Job, future: Future[Any]) -> None:
        self._executor.post(partial(self._made, job, future))

    def _made(self, job: Job, future: Future[Any]) -> None:
        self._pending.pop(job, None)
        if self._closed:
            return
        if not future.cancelled():
            error = future.exception()
            if isinstance(error, Exception):
                self._fail(error)
                self._refuse_orders(error)
            elif job not in self._pending:
                self._opened().keep(job, future.result())
        self._turn()

    def _worked(self, work: Callable[[Any], T]) -> T:
        plotter = self._opened().plotter
        try:
            return work(plotter)
        finally:
            self._draw_anew()

    def _draw_anew(self) -> None:
        """Draw what was asked for last: something else than the state has changed."""
        self._final = None
        with self._lock:
            self._wanted = self._wanted or self._last
        self._again()

    def _deliver(self, wish: Wish, drawn: Drawn) -> None:
        is_final = not self._ladder and not wish.moving
        frame = Frame(drawn.picture, wish.state, is_final, drawn.resolution, drawn.mm_per_pixel)
        if is_final:
            key = (scene_key(wish.state), wish.size, wish.pixel_ratio)
            self._final = (key, frame)
        self._send(frame)

    def _fail(self, error: Exception) -> None:
        """Show in words why there is no picture."""
        self._ladder.clear()
        if self._wish is not None:
            self._send(failed(self._wish, error))

    def _send(self, frame: Frame) -> None:
        if self._on_frame is None or self._closed:
            return
        try:
            self._on_frame(frame)
        except Exception:
            _log.exception("whoever takes the frames failed")

    def _refuse_orders(self, error: Exception) -> None:
        while self._orders:
            self._orders.popleft().future.set_exception(error)

    def _shut(self) -> None:
        self._refuse_orders(_closed())
        self._ladder.clear()
        self._final = None
        if self._stage is not None:
            self._stage.close()
            self._stage = None


def _closed() -> RenderingUnavailableError:
    return RenderingUnavailableError("this scene is closed: make a new one")


@atexit.register
def _close_all() -> None:
    # VTK's windows must not be left to the end of the interpreter.
    for scene in list(_open):
        with suppress(Exception):
            scene.close()
