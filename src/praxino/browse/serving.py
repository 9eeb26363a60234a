"""Listens on this machine until Ctrl-C, and opens a browser."""

from __future__ import annotations

import contextlib
import html
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.browse.guard import HOST, POLICY, App, Guard
from praxino.errors import UserError

if TYPE_CHECKING:
    import uvicorn

TOKEN_BYTES = 16
SECONDS_TO_END = 1  # that an answer which is under way has left after Ctrl-C
ENDING = [one for name in ("SIGINT", "SIGTERM", "SIGHUP") if (one := getattr(signal, name, None)) is not None]


def listening(port: int | None) -> socket.socket:
    """A socket that listens on this machine only.

    Args:
        port: which; None: any that is free.

    Raises:
        UserError: if it is taken, or not for users.
    """
    if port is not None and not 0 < port < 1 << 16:
        raise UserError(f"--port takes a number from 1 to 65535, not {port}")
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Of a server that has just ended the port is free again at once; on Windows the option means something else.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)
        one.bind((HOST, port or 0))
        one.listen()
    except OSError as error:
        one.close()
        raise UserError(f"port {port} cannot be listened to ({error.strerror}): pass another --port, or none") from None
    return one


def serve(
    app: App,
    port: int | None = None,
    opens: bool = True,
    say: Callable[[str], None] = print,
    policy: str = POLICY,
    token: str | None = None,
) -> None:
    """Serves until Ctrl-C, or until the system ends it; only whoever has the address gets an answer.

    Args:
        app: what is served below the token.
        port: as of `listening`.
        opens: a browser, where there is a screen.
        say: takes lines for the screen, the address among them.
        policy: as of `Guard`.
        token: the secret; None: a new one.

    Raises:
        UserError: as of `listening`.
    """
    token = token or secrets.token_urlsafe(TOKEN_BYTES)
    with listening(port) as one, contextlib.ExitStack() as end:
        number = one.getsockname()[1]
        address = f"http://{HOST}:{number}/{token}/"
        server = server_of(Guard(app, token, number, policy))
        end.enter_context(_ended_by_signals(server))
        say(address)
        say("Ctrl-C ends it")
        if opens and _has_screen():
            page = end.enter_context(_page_with(address))
            threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
        server.run(sockets=[one])
    say("ended")


def server_of(app: App) -> uvicorn.Server:
    """uvicorn, which says nothing by itself but what a programmer has to mend."""
    import uvicorn

    config: dict[str, Any] = {
        "loop": "asyncio", "http": "h11", "ws": "none", "lifespan": "off", "interface": "asgi3",
        "access_log": False, "server_header": False, "log_level": "error", "proxy_headers": False,
        "timeout_graceful_shutdown": SECONDS_TO_END,
    }  # fmt: skip
    server = uvicorn.Server(uvicorn.Config(app, **config))
    # It would raise what has ended it once more, before anything is cleared away.
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    ends = server.shutdown

    async def shutdown(sockets: list[socket.socket] | None = None) -> None:
        # That answers are cut off now is no mistake, and would be told as one.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        await ends(sockets)

    server.shutdown = shutdown  # type: ignore[method-assign]
    return server


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Signals end the server in order; a second one does not wait for answers that are under way.

    One that whoever has started it lets be ignored (`nohup`, a shell's job in the background) stays ignored.
    """

    def end(number: int, frame: object) -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():  # where Python takes no signals
        yield
        return
    before = {one: signal.signal(one, end) for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _page_with(address: str) -> Iterator[Path]:
    """A page for the user's eyes only that leads to an address: what a program is called with anybody can list."""
    with tempfile.TemporaryDirectory(prefix="praxino-", ignore_cleanup_errors=True) as folder:
        page = Path(folder, "browse.html")
        leads = f'<meta http-equiv="refresh" content="0;url={html.escape(address)}">'
        shown = f'<!DOCTYPE html><meta charset="utf-8">{leads}<a href="{html.escape(address)}">praxino</a>'
        page.write_text(shown, encoding="utf-8")
        page.chmod(0o600)
        yield page


def _has_screen() -> bool:
    """Whether a browser would be a window. On a bare terminal it would be a program that takes the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def leave_if_busy(code: int = 0) -> None:
    """Ends the process at once where a thread still embeds or decodes: nobody waits for that any more."""
    others = [one for one in threading.enumerate() if one is not threading.current_thread() and not one.daemon]
    for one in others:
        one.join(timeout=0.5)
    if any(one.is_alive() for one in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
