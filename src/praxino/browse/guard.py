"""Who gets an answer: whoever knows the token, from this machine, and no page of anybody else."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
# All of it comes from the server itself. The library that draws the map makes functions out of its own text ('eval');
# names of files reach the page as text only.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "referrer-policy": "no-referrer",  # the address holds the token
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",  # no copies of somebody's videos in the browser's cache
}


class Guard:
    """Passes on what is asked with the token in the path's first part, and refuses all else with 403 and one line.

    A page elsewhere cannot know the token. Should it get hold of it, it is refused by what browsers say of it: the name
    that it has for this machine (`Host`, against DNS that is bound anew), and where it comes from (`Origin`,
    `Sec-Fetch-Site`, against requests that it forges).

    Args:
        app: gets what is passed on, with the rest of the path.
        token: the secret.
        port: that is listened to.
        policy: the Content-Security-Policy of all answers.
    """

    def __init__(self, app: App, token: str, port: int, policy: str = POLICY) -> None:
        self.app = app
        self.token = token
        names = (HOST, "localhost")
        self.hosts = {f"{name}:{port}" for name in names} | ({*names} if port == 80 else set())
        self.origins = {f"http://{host}" for host in self.hosts}
        self.headers = [(name.encode(), said.encode()) for name, said in {**HEADERS, **_policy(policy)}.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        own = {name for name, _ in self.headers}

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [pair for pair in message.get("headers", ()) if pair[0].lower() not in own]
                message = {**message, "headers": [*others, *self.headers]}
            await send(message)

        reason = self._refusal(scope)
        _, first, rest = (*scope["path"].split("/", 2), None, None)[:3]
        if reason is None and not secrets.compare_digest(str(first or "").encode("utf-8", "replace"), self._secret):
            reason = "this address lacks the token: take the one that 'praxino browse' has printed"
        if reason is None and ".." in f"{rest}".replace("\\", "/").split("/"):
            reason = "there is nothing above this address"
        if reason is not None:
            await answer(told, 403, {"error": reason})
        elif rest is None:
            await answer(told, 307, {}, [(b"location", f"/{self.token}/".encode())])
        else:
            await self.app(
                {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode("utf-8", "replace")}, receive, told
            )

    @property
    def _secret(self) -> bytes:
        return self.token.encode()

    def _refusal(self, scope: Scope) -> str | None:
        """Why whoever asks gets nothing, whatever the address; None where that is no reason."""
        said = {name: _all(scope["headers"], name) for name in (b"host", b"origin", b"sec-fetch-site")}
        if len(said[b"host"]) != 1 or said[b"host"][0].lower() not in self.hosts:
            return f"this is for {HOST} only, and not for a machine of another name"
        if any(origin.lower() not in self.origins for origin in said[b"origin"]):
            return "a page of elsewhere gets nothing here"
        if any(site not in ("same-origin", "none") for site in said[b"sec-fetch-site"]) and not _opened(scope):
            return "a page of elsewhere gets nothing here"
        return None


def _opened(scope: Scope) -> bool:
    """Whether a link was followed, so that the answer is shown by itself and to nobody else."""
    mode, shown = (_all(scope["headers"], name) for name in (b"sec-fetch-mode", b"sec-fetch-dest"))
    return scope["method"] == "GET" and mode == ["navigate"] and shown == ["document"]


def _all(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for own, value in headers if own.lower() == name]


def _policy(policy: str) -> Mapping[str, str]:
    return {"content-security-policy": policy}


async def answer(send: Send, status: int, said: Mapping[str, Any], more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """An answer in JSON.

    Args:
        send: as of ASGI.
        status: of HTTP.
        said: what is answered.
        more: headers.
    """
    body = json.dumps(said, allow_nan=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
