"""Nothing is shown or written without the token, by another name, or from another page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from unparrot.view.guard import MOST_SENT, Guard
from unparrot.view.routes import make_app

TOKEN, PORT, HOST = "t" * 43, 8470, "http://127.0.0.1:8470"
PATHS = ("/", "/runs.json", "/view.css", "/view.js", "/run/0/report.html", "/run/0/texts", "/x")


@pytest.fixture
def stranger(tmp_path: Path) -> TestClient:
    return TestClient(Guard(make_app([tmp_path], tmp_path), TOKEN, PORT), base_url=HOST)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_shown(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 403
    assert stranger.get(f"{path}?token={'u' * 43}").status_code == 403
    assert stranger.get(f"{path}?token=").status_code == 403
    name = f"unparrot-{PORT}"
    for cookie in (f"{name}={'u' * 43}", f"{name}=", f"{name}=tüt", f"a,;={name}={TOKEN}",
                   f"unparrot-9={TOKEN}", f'{name}="{TOKEN}'):  # fmt: skip
        headers = {"Cookie": cookie.encode("latin-1")}
        assert stranger.get(path, headers=headers).status_code == 403


def test_the_token_makes_a_cookie_that_scripts_and_sites_do_not_get(stranger: TestClient) -> None:
    entered = stranger.get(f"/?token={TOKEN}")
    assert entered.status_code == 200
    assert TOKEN not in entered.text
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "domain" not in cookie
    assert stranger.get("/").status_code == 200
    # the token opens the first page alone, so it stands in no other address
    fresh = TestClient(stranger.app, base_url=HOST)
    assert fresh.get(f"/runs.json?token={TOKEN}").status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8470", "127.0.0.1.evil.example", "127.0.0.1:8470@evil.example",
     "127.0.0.2:8470", "localhost.evil.example:8470", "0.0.0.0:8470", "127.0.0.1:", ""],
)  # fmt: skip
def test_names_of_others_that_lead_here_are_refused(
    let_in: Callable[[Path], TestClient], tmp_path: Path, host: str
) -> None:
    client = let_in(tmp_path)
    assert client.get("/", headers={"Host": host}).status_code == 421
    assert client.get(f"/?token={TOKEN}", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "localhost:8470", "localhost:9000"])
def test_names_of_this_machine_pass(
    let_in: Callable[[Path], TestClient], tmp_path: Path, host: str
) -> None:
    assert let_in(tmp_path).get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://127.0.0.1:8470"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "http://localhost:8470"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain; application/json"}, 415),
        ({"Content-Length": str(MOST_SENT + 1)}, 413),
        ({"Content-Length": "-1"}, 413),
        ({"Content-Length": "٣"}, 413),
    ],
)
def test_writing_takes_json_from_a_page_of_the_app(
    let_in: Callable[[Path], TestClient], tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    client = let_in(tmp_path)
    sent = client.post("/run/0/mark", json={}, headers=encoded)
    assert sent.status_code == status
    del client.headers["Origin"]
    assert client.post("/run/0/mark", json={}).status_code == 403


def test_every_answer_has_the_headers(client: TestClient, run_ids: dict[str, str]) -> None:
    for path in (*PATHS, f"/run/{run_ids['tables']}", f"/run/{run_ids['tables']}/report.html"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        if path.endswith("report.html") and "/0/" not in path:
            assert policy.startswith("sandbox allow-scripts")
            assert "allow-same-origin" not in policy
        else:
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
