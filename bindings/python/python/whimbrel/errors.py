"""What can go wrong.

Every error is a ``WhimbrelError`` and has a stable ``code``. There is a class for each code
(``whimbrel.NotLinkedError``), below one class for each kind of failure, which is also the
built-in class that fits: ``UsageError`` is a ``ValueError``, ``NetworkError`` a
``ConnectionError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar

__all__ = [
    "AccountError",
    "CryptoError",
    "InternalError",
    "MediaError",
    "NetworkError",
    "Outcome",
    "ServiceError",
    "StoreError",
    "UsageError",
    "WhimbrelError",
]


class Outcome(str, Enum):
    """What became of the request of a failed call."""

    NOT_SENT = "not_sent"
    """Nothing left this process: repeating is safe."""

    UNKNOWN = "unknown"
    """It may have arrived. Repeat only with the same message id."""

    REFUSED = "refused"
    """The service received and refused it."""

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        return cls.UNKNOWN


class WhimbrelError(Exception):
    """Any failure of the engine."""

    _by_number: ClassVar[dict[int, type[WhimbrelError]]] = {}

    code: int
    """The stable number, a ``whimbrel.Code``."""

    message: str
    """A lowercase fragment without user data."""

    operation: str | None
    """The operation that failed, if it was one."""

    service_status: int
    """The number that the service answered with, 0 if it did not."""

    retry_after_ms: int | None
    """After what time a repetition makes sense."""

    outcome: Outcome
    """Whether repeating may do it twice."""

    causes: tuple[str, ...]
    """What lies behind the failure, outermost first; for logs."""

    def __init_subclass__(cls, *, number: int | None = None) -> None:
        super().__init_subclass__()
        if number is not None:
            cls._by_number[number] = cls
            cls.code = number

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        operation: str | None = None,
        service_status: int = 0,
        retry_after_ms: int | None = None,
        outcome: Outcome = Outcome.NOT_SENT,
        causes: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.message = message
        self.operation = operation
        self.service_status = service_status
        self.retry_after_ms = retry_after_ms
        self.outcome = outcome
        self.causes = tuple(causes)


class UsageError(WhimbrelError, ValueError):
    """The call was wrong: codes 1 to 99."""


class NetworkError(WhimbrelError, ConnectionError):
    """The connection failed: codes 100 to 199."""


class AccountError(WhimbrelError):
    """The account cannot do this now: codes 200 to 299."""


class ServiceError(WhimbrelError):
    """The service refused: codes 300 to 399."""


class CryptoError(WhimbrelError):
    """Keys or sessions failed: codes 400 to 499."""


class StoreError(WhimbrelError):
    """The store failed: codes 500 to 599."""


class MediaError(WhimbrelError):
    """Media failed: codes 600 to 699."""


class InternalError(WhimbrelError, RuntimeError):
    """A bug of the engine: codes 900 to 999. The client refuses further calls."""


_BY_HUNDRED: dict[int, type[WhimbrelError]] = {
    0: UsageError,
    1: NetworkError,
    2: AccountError,
    3: ServiceError,
    4: CryptoError,
    5: StoreError,
    6: MediaError,
}


def _from_native(
    code: int,
    message: str,
    operation: str | None,
    service_status: int,
    retry_after_ms: int | None,
    outcome: str,
    causes: list[str],
) -> WhimbrelError:
    """Makes the exception for an error of the extension."""
    from ._errors import Code

    made = WhimbrelError._by_number.get(code) or _BY_HUNDRED.get(code // 100, InternalError)
    return made(
        message,
        code=Code(code) if code in Code._value2member_map_ else code,
        operation=operation,
        service_status=service_status,
        retry_after_ms=retry_after_ms,
        outcome=Outcome(outcome),
        causes=causes,
    )
