"""An embeddable WhatsApp engine: links to a phone as a companion device.

Open a ``Client``, take its events, call its methods. All names are here; errors are described
in ``whimbrel.errors``.
"""

from __future__ import annotations

import atexit
import os

from . import _errors, _events, _types, errors
from ._errors import *
from ._events import *
from ._mailbox import Mailbox as _Mailbox
from ._types import *
from ._whimbrel import forked as _forked
from ._whimbrel import draw_qr
from ._whimbrel import shutdown as _shutdown
from .client import Client, Download
from .engine import (
    Endpoint,
    Engine,
    ImportReport,
    LeftOut,
    TakenOver,
    default_engine,
    forget_default,
)
from .errors import *

__all__ = [
    "Client",
    "Download",
    "Endpoint",
    "Engine",
    "ImportReport",
    "LeftOut",
    "TakenOver",
    "default_engine",
    "draw_qr",
]
__all__ += _errors.__all__
__all__ += _events.__all__
__all__ += _types.__all__
__all__ += errors.__all__


def _after_fork() -> None:
    # First the count: what is forgotten next must not be released in this process.
    _forked()
    _Mailbox.forget_all()
    forget_default()


# Native threads must be gone before the interpreter is.
atexit.register(_shutdown)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
