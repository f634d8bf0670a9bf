"""Who may ask: a token in the address, then a cookie; this machine's names as host; its own pages.

Nothing is answered, and nothing read, before the request has passed:

- The host is 127.0.0.1 or localhost, so that a name of somebody else's that leads here (DNS
  rebinding) is refused.
- The address has the token, which makes a cookie, or the cookie is there. It is HttpOnly and
  SameSite=Strict, so neither scripts nor other sites get at it or have it sent.
- What writes is JSON and comes from a page of the app: its origin is the host.
"""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_SENT: Final = 65_536
"""Bytes that a request may send."""
_HOST: Final = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d{1,5})?")
# Nothing but this app's own files, no frame around it, and nowhere else for a form to go.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Of a page that says why another page is not there: in the frame where that would have been.
PROBLEM_POLICY: Final = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
# A page of a run is a file that anybody may have made: its script is cut off from the app (an
# origin of its own), and from everything else; what the file itself allows is less still.
FILE_POLICY: Final = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A page that leads on, and no redirect: after one, a browser that followed a link of another site
# (a terminal in a browser, say) would hold the cookie back.
_ENTER: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>unparrot</title>'
    '<link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0; url=/"><p><a href="/">To the runs</a></p></html>'
)


class Guard:
    """The app, for those who have the token.

    Parameters
    ----------
    app
        What answers.
    token
        The secret of this session.
    port
        Names the cookie: cookies of one host are shared by all of its ports.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token, self.cookie = app, token, f"unparrot-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        await (refused or self.app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass, or that brings the token; None to others."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            return _refuse(421, "This app answers to 127.0.0.1 and localhost alone.")
        if scope["method"] == "GET" and scope["path"] == "/":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
            if given and self._is_token(given):
                answer = HTMLResponse(_ENTER)
                answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
                return answer
        if not self._is_token(_cookie(headers, self.cookie)):
            return _refuse(
                403, "The token is missing: open the address that `unparrot view` printed."
            )
        if scope["method"] in ("GET", "HEAD"):
            return None
        if headers.getlist("origin") != [f"http://{hosts[0]}"]:
            return _refuse(403, "Only the app's own pages may write.")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refuse(415, "What is sent must be JSON.")
        length = headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > MOST_SENT:
            return _refuse(413, f"At most {MOST_SENT:,} bytes may be sent, and their number first.")
        return None

    def _is_token(self, given: str) -> bool:
        return compare_digest(given.encode(), self.token.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie("; ".join(headers.getlist("cookie"))).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _refuse(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
