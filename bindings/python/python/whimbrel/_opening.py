"""What clients are opened with, and who handles their events, with an event loop or without one."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, overload

from ._errors import WrongStateError
from ._events import Event
from .engine import Endpoint, Engine

__all__ = ["Opening"]

_A = TypeVar("_A", bound=Event)
_B = TypeVar("_B", bound=Event)
_C = TypeVar("_C", bound=Event)
_R = TypeVar("_R")


class Opening:
    """What ``whimbrel.Client`` and ``whimbrel.sync.Client`` have in common; ``whimbrel.Client``
    describes the arguments.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        engine: Engine | None = None,
        endpoint: Endpoint | None = None,
        auto_start: bool | None = None,
        manual_acknowledge: bool = False,
        request_timeout: float | None = None,
        device_name: str | None = None,
        journal_limit: int | None = None,
        journal_limit_bytes: int | None = None,
        sync_to_disk: bool | None = None,
        proxy: str | None = None,
        archive: bool | None = None,
        archive_days: int | None = None,
        full_history: bool | None = None,
        history_days: int | None = None,
        temporary_folder: str | os.PathLike[str] | None = None,
    ) -> None:
        if engine is not None and endpoint is not None:
            raise WrongStateError("an engine has its own endpoint: give one of the two")
        self.path = os.fspath(path)
        """The store file."""
        self._engine = engine
        self._endpoint = endpoint
        self._acknowledges = not manual_acknowledge
        self._handlers: list[tuple[tuple[type[Event], ...], Callable[[Any], object]]] = []
        self._options: dict[str, Any] = {
            "path": self.path,
            "auto_start": auto_start,
            "request_timeout": request_timeout,
            "device_name": device_name,
            "journal_limit": journal_limit,
            "journal_limit_bytes": journal_limit_bytes,
            "sync_to_disk": sync_to_disk,
            "proxy": proxy,
            "archive": archive,
            "archive_days": archive_days,
            "full_history": full_history,
            "history_days": history_days,
            "temporary_folder": temporary_folder,
        }

    @overload
    def on(self, kind: type[_A], /) -> Callable[[Callable[[_A], _R]], Callable[[_A], _R]]: ...

    @overload
    def on(
        self, kind: type[_A], other: type[_B], /
    ) -> Callable[[Callable[[_A | _B], _R]], Callable[[_A | _B], _R]]: ...

    @overload
    def on(
        self, kind: type[_A], other: type[_B], third: type[_C], /
    ) -> Callable[[Callable[[_A | _B | _C], _R]], Callable[[_A | _B | _C], _R]]: ...

    @overload
    def on(
        self, *kinds: type[Event]
    ) -> Callable[[Callable[[Event], _R]], Callable[[Event], _R]]: ...

    def on(
        self, *kinds: type[Event]
    ) -> Callable[[Callable[[Any], _R]], Callable[[Any], _R]]:
        """Makes a function the handler of these kinds of events, or of all if none is named; ``run``
        calls it::

            @client.on(whimbrel.Message)
            async def answer(message: whimbrel.Message) -> None:
                await client.send_text(chat=message.chat, text="thanks")

        Handlers are called in the order in which they were added, one after the other, and the next
        event is taken when they have returned: start a task for what takes long.

        Args:
            kinds: Classes of events.
        """

        def add(handler: Callable[[Any], _R]) -> Callable[[Any], _R]:
            self._handlers.append((kinds, handler))
            return handler

        return add

    def _handlers_of(self, event: Event) -> list[Callable[[Any], object]]:
        return [one for kinds, one in self._handlers if not kinds or isinstance(event, kinds)]
