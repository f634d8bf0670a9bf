"""Pages opened in Chromium: bytes, first paint, time of scripts, all work of the main thread.

    python benchmarks/bench_page.py [PAGE.html ...] [--times 5] [--width 1280] [--json]

Without a page it opens runs/demo/report.html, which `make demo` writes. Each page is opened from
its file, each time in a fresh profile with nothing cached. Medians of the times; milliseconds but
for the size:

  paint    first contentful paint, from the start of navigation
  loaded   the end of the load event
  script   running scripts, until a second after that
  task     all of the main thread in the same time: parsing, style, layout and script
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
SETTLE = "setTimeout(arguments[0], 1000)"


def opened(page: Path, width: int) -> dict[str, float]:
    """Open a page in a browser of its own and return its times in milliseconds."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        sys.exit("chromium or chromedriver is absent; install chromium and chromium-driver")
    options = Options()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chrome.execute_cdp_cmd("Performance.enable", {})
        before = _metrics(chrome)
        chrome.get(page.resolve().as_uri())
        chrome.execute_async_script(SETTLE)
        spent = {name: value - before[name] for name, value in _metrics(chrome).items()}
        return {
            "paint": chrome.execute_script(PAINT),
            "loaded": chrome.execute_script(LOADED),
            "script": 1000 * spent["ScriptDuration"],
            "task": 1000 * spent["TaskDuration"],
        }
    finally:
        chrome.quit()


def _metrics(chrome: Any) -> dict[str, float]:
    told = chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return {row["name"]: row["value"] for row in told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, default=[Path("runs/demo/report.html")])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    absent = [str(page) for page in args.pages if not page.is_file()]
    if absent:
        sys.exit(f"there is no {', '.join(absent)}; `make demo` writes runs/demo/report.html")
    rows = []
    for page in args.pages:
        times = [opened(page, args.width) for _ in range(args.times)]
        medians = {name: round(statistics.median(t[name] for t in times), 1) for name in times[0]}
        rows.append({"page": str(page), "bytes": page.stat().st_size, **medians})
    if args.json:
        print(json.dumps(rows))
        return
    for row in rows:
        words = ", ".join(
            f"{name} {row[name]:,.0f} ms" for name in ("paint", "loaded", "script", "task")
        )
        print(f"{row['page']}: {row['bytes'] / 1e6:.2f} MB, {words}")


if __name__ == "__main__":
    main()
