"""The landing page in a real browser: is it accessible, and how fast on a slow line?

    python -m benchmarks.landing [--rounds N] [--screenshots FOLDER]

A small shop (benchmarks.landing_shop) is published and served; Chromium opens its pages.

``axe_violations``: what axe-core (WCAG 2.0 to 2.2, A and AA, and its best practices) complains of,
over a customer's page, the page for nobody in particular and the empty one, in English and Korean,
light and dark, on a phone and a wide screen; complaints are listed. ``slow3g_load_s``: seconds
until the load event or the largest contentful paint, whichever is later, with 400 kbit/s, 400 ms
latency and a processor four times slower, pictures of 25 kB each included: the worst of the
medians of both languages. ``first_paint_s`` and ``pictures_in_view_s`` (the last picture of
those that stand on the screen) likewise. ``page_kb``: the largest page without its
pictures, uncompressed; ``sent_kb``: as it is sent. ``--screenshots``: pictures of the page on
three widths. The last line is JSON.

Chromium must be installed, and npm, which brings axe-core into a temporary folder.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import requests

from benchmarks.chrome import Chrome, ChromeError, chrome, executable
from benchmarks.landing_shop import EMPTY, Shop, open_shop

AXE = "axe-core@4.10.3"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, TABLET, WIDE = 360, 768, 1280  # CSS pixels
LANGUAGES, SCHEMES = ("en", "ko"), ("light", "dark")
SLOW_BYTES_S = 400_000 / 8
SLOW_LATENCY_MS = 400
SLOW_CPU = 4
PROMISED_S = 2.5
SHOTS = (
    ("phone", "ko", "light", PHONE, 1560), ("phone-dark", "en", "dark", PHONE, 1560),
    ("tablet", "en", "light", TABLET, 1380), ("tablet-dark", "ko", "dark", TABLET, 1380),
    ("wide", "ko", "light", WIDE, 1240), ("wide-dark", "en", "dark", WIDE, 1240),
)  # fmt: skip
_TIMES = """new Promise(done => {
  let largest = 0
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) largest = Math.max(largest, entry.startTime)
  }).observe({type: 'largest-contentful-paint', buffered: true})
  const inView = [...document.images].filter(picture => {
    const {top, bottom} = picture.getBoundingClientRect()
    return bottom > 0 && top < innerHeight
  })
  const tell = () => {
    if (!inView.every(picture => picture.complete)) return setTimeout(tell, 100)
    const [page] = performance.getEntriesByType('navigation')
    const [first] = performance.getEntriesByName('first-contentful-paint')
    const ends = inView.map(
      picture => performance.getEntriesByName(picture.currentSrc).at(-1)?.responseEnd ?? 0)
    const all = Math.max(0, ...ends)
    done({load: page.loadEventEnd, largest, all, first: first ? first.startTime : 0})
  }
  setTimeout(tell, 800)
})"""


class Times(NamedTuple):
    """Seconds from the tap."""

    load: float
    largest: float
    first: float
    in_view: float  # the last of the pictures that stand on the screen

    @property
    def done(self) -> float:
        return max(self.load, self.largest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="of each measured load")
    parser.add_argument("--screenshots", type=Path, help="write pictures of the page there")
    arguments = parser.parse_args()
    try:
        result = run(arguments.rounds, arguments.screenshots)
    except ChromeError as problem:
        sys.exit(f"benchmarks.landing: {problem}")
    print(json.dumps(result))


def run(rounds: int, screenshots: Path | None) -> dict[str, Any]:
    """All figures. Raises ChromeError when the browser or npm is missing."""
    executable()
    with tempfile.TemporaryDirectory() as folder:
        axe = axe_source(Path(folder) / "axe")
        with open_shop(Path(folder) / "state") as shop, chrome() as browser:
            if screenshots:
                _shoot(browser, shop, screenshots)
            sizes = [_size(link) for link in _links(shop).values()]
            violations = _judge(browser, shop, axe)
            times = _measure(browser, shop, rounds)
    return {
        "axe_violations": violations,
        "slow3g_load_s": round(max(each.done for each in times.values()), 2),
        "first_paint_s": round(max(each.first for each in times.values()), 2),
        "pictures_in_view_s": round(max(each.in_view for each in times.values()), 2),
        "page_kb": round(max(size for size, _ in sizes) / 1000, 1),
        "sent_kb": round(max(sent for _, sent in sizes) / 1000, 1),
    }


def axe_source(folder: Path) -> str:
    """axe-core as it is published. Raises ChromeError."""
    npm = shutil.which("npm")
    if npm is None:
        raise ChromeError("no npm found: install Node.js (Debian: apt install npm)")
    folder.mkdir(parents=True)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", AXE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChromeError(f"npm could not bring {AXE}: {done.stderr.strip()[-300:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def _links(shop: Shop) -> dict[str, str]:
    """Every kind of page, by name."""
    links = {}
    for language in LANGUAGES:
        links[f"customer, {language}"] = shop.link(language)
        links[f"nobody, {language}"] = shop.link(language, personal=False)
        links[f"empty, {language}"] = shop.link(EMPTY, spoken=language)
    return links


def _judge(browser: Chrome, shop: Shop, axe: str) -> int:
    """How many violations axe finds over all pages; each is printed."""
    browser.ask("Page.setBypassCSP", enabled=True)  # our own policy forbids axe, too
    count = 0
    for name, link in _links(shop).items():
        for scheme in SCHEMES:
            for width in (PHONE, WIDE):
                _look(browser, width, scheme)
                browser.open(link)
                browser.evaluate(f"{axe};0")
                options = json.dumps({"runOnly": RULES, "resultTypes": ["violations"]})
                found = browser.evaluate(f"axe.run(document, {options})")
                for violation in found["violations"]:
                    count += 1
                    _complain(f"{name}, {scheme}, {width} px", violation)
    print(f"axe: {count} violations on {len(_links(shop)) * 4} pages")
    return count


def _complain(where: str, violation: Mapping[str, Any]) -> None:
    print(f"{where}: {violation['id']}: {violation['help']}")
    for node in violation["nodes"][:3]:
        print(f"    {node['html'][:160]}")


def _measure(browser: Chrome, shop: Shop, rounds: int) -> dict[str, Times]:
    """Medians by language on a slow line."""
    browser.ask("Network.setCacheDisabled", cacheDisabled=True)
    _look(browser, PHONE, "light")
    found = {}
    for language in LANGUAGES:
        link = shop.link(language)
        requests.get(link, timeout=30)  # the first answer of a process loads the snapshot
        browser.ask(
            "Network.emulateNetworkConditions",
            offline=False,
            latency=SLOW_LATENCY_MS,
            downloadThroughput=SLOW_BYTES_S,
            uploadThroughput=SLOW_BYTES_S,
        )
        browser.ask("Emulation.setCPUThrottlingRate", rate=SLOW_CPU)
        runs = [_load(browser, link) for _ in range(rounds)]
        found[language] = Times(*(statistics.median(each) for each in zip(*runs, strict=True)))
        load, largest, first, in_view = found[language]
        print(
            f"slow 3G, {language}: first paint {first:.2f} s, largest {largest:.2f} s, load "
            f"{load:.2f} s (promised {PROMISED_S} s), pictures on the screen {in_view:.2f} s"
        )
    return found


def _load(browser: Chrome, link: str) -> Times:
    browser.open("about:blank")
    browser.open(link)
    times = browser.evaluate(_TIMES)
    return Times(*(times[name] / 1000 for name in ("load", "largest", "first", "all")))


def _size(link: str) -> tuple[int, int]:
    """Bytes of the page, and bytes as they are sent."""
    answer = requests.get(link, timeout=30, stream=True, headers={"Accept-Encoding": "gzip"})
    sent = len(answer.raw.read(decode_content=False))
    return len(requests.get(link, timeout=30).content), sent


def _shoot(browser: Chrome, shop: Shop, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, language, scheme, width, height in SHOTS:
        _look(browser, width, scheme, height)
        browser.open(shop.link(language))
        browser.evaluate("new Promise(done => setTimeout(done, 1500))")  # lazy pictures
        shot = browser.ask("Page.captureScreenshot", format="webp", quality=70)
        (folder / f"landing-{name}.webp").write_bytes(base64.b64decode(shot["data"]))


def _look(browser: Chrome, width: int, scheme: str, height: int = 800) -> None:
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=width < WIDE,
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.ask("Emulation.setEmulatedMedia", features=[feature])


if __name__ == "__main__":
    main()
