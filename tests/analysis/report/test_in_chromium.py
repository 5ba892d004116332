"""The page in a real browser: quiet, offline, sortable, light and dark, and unmoved by hostile text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from analysis.plots.colours import SHADES
from analysis.report.content import Report
from analysis.report.page import html
from analysis.report.two_sides import comparison_html
from analysis.runs.comparison import compare_runs
from tests.analysis.report.hostile import MARKUP, make_hostile_run
from tests.analysis.report.reading import found

_CHROMIUM = shutil.which("chromium")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: The widths of a telephone and of a desk.
NARROW, WIDE = 400, 1200
Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that is shown, with all that it said and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests here. Without Chromium they are skipped, and fail under CI=true."""
    if _CHROMIUM is None:
        reason = "chromium not installed; .ci/run says which packages the whole tests need"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        yield made
        made.close()


@pytest.fixture(scope="module")
def known(known_report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory.mktemp("known-page") / "run.html", html(known_report))


@pytest.fixture(scope="module")
def hostile(hostile_report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory.mktemp("hostile-page") / "run.html", html(hostile_report))


@pytest.fixture(scope="module")
def hostile_comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("comparison")
    base, head = (found(make_hostile_run(folder / f"{side}.sqlite"))[0] for side in ("base", "head"))
    return _written(folder / "both.html", comparison_html(compare_runs(base, head), base, head))


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def shown(
    browser: Browser, path: Path, *, width: int = WIDE, scheme: Scheme = "light", scripts: bool = True
) -> Iterator[Shown]:
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    made = Shown(context.new_page())
    made.page.on("console", lambda message: made.complaints.append(message.text))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("dialog", lambda dialog: made.complaints.append(dialog.message))
    made.page.on("request", lambda request: made.requests.append(request.url))
    made.page.goto(path.as_uri())
    yield made
    context.close()


def rows(page: Page) -> list[list[str]]:
    """The cells of the rows that are to be seen, in their order."""
    found: list[list[str]] = page.eval_on_selector_all(
        "#figures tbody tr",
        "rows => rows.filter(row => row.checkVisibility())"
        ".map(row => [...row.cells].map(cell => cell.textContent))",
    )
    return found


def heading(page: Page, name: str) -> Any:
    return page.locator("#figures thead button", has_text=name)


def colour(page: Page, selector: str, what: str) -> str:
    """A computed colour as #rrggbb."""
    text = page.eval_on_selector(selector, f"element => getComputedStyle(element)['{what}']")
    return "#" + "".join(f"{int(part):02x}" for part in str(text).split("(")[1].rstrip(")").split(","))


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("name", ["known", "hostile", "hostile_comparison"])
def test_it_loads_in_silence_asks_for_nothing_and_fits(
    browser: Browser, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(name)
    with shown(browser, path, width=width) as made:
        assert made.complaints == []
        assert [url for url in made.requests if not url.startswith("data:")] == [path.as_uri()]
        # its script ran, and its style applies: the policy's hashes are right
        assert made.page.locator("#filters").is_visible()
        assert colour(made.page, "body", "backgroundColor") == SHADES["paper"].light
        assert made.page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_it_is_a_plain_table(browser: Browser, known: Path) -> None:
    with shown(browser, known, scripts=False) as made:
        assert not made.page.locator("#filters").is_visible()
        assert made.page.locator("#figures thead button").count() == 0
        assert made.page.locator("#figures tbody tr").count() > 20
        assert made.page.locator("#figures tbody tr").last.is_visible()


def test_the_table_sorts_by_value_and_by_text(browser: Browser, known: Path) -> None:
    with shown(browser, known) as made:
        page = made.page
        page.locator("#filter-figure").select_option("ttfb_p50")
        before = rows(page)
        heading(page, "value").click()
        ascending = [row[3] for row in rows(page)]
        assert ascending == ["1 ms", "1 ms", "2 ms", "50 ms", "50 ms"]
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("value")
        heading(page, "value").click()
        assert [row[3] for row in rows(page)] == ascending[::-1]
        heading(page, "to the whole").click()
        shares = [row[4] for row in rows(page)]
        assert shares == ["×0.02", "×0.02", "×0.04", "×1", ""]  # what has no value comes last
        heading(page, "to the whole").click()
        assert [row[4] for row in rows(page)] == ["×1", "×0.04", "×0.02", "×0.02", ""]
        heading(page, "case").click()
        assert [row[0] for row in rows(page)] == sorted(row[0] for row in before)
        assert page.locator("th[aria-sort]").count() == 1


def test_the_table_filters_by_words_figure_and_verdict(browser: Browser, known: Path) -> None:
    with shown(browser, known) as made:
        page = made.page
        everything = rows(page)
        page.locator("#filter-text").fill("ROWS=50 ttfb")
        assert {row[0] for row in rows(page)} == {"orders rows=50", "orders rows=500"}
        assert {row[2] for row in rows(page)} == {"ttfb_p50", "ttfb_p95"}
        assert page.locator("#filter-count").inner_text() == f"4 of {len(everything)} rows"
        page.locator("#filter-text").fill("")
        page.locator("#filter-kind").select_option("worse")
        assert {row[0] for row in rows(page)} == {"orders rows=5"}
        assert {row[2] for row in rows(page)} == {"throughput", "cpu_per_mb"}
        page.locator("#filter-text").fill("nothing like it")
        assert rows(page) == []


def test_a_figure_of_the_answer_leads_to_its_row_even_one_that_is_filtered_out(
    browser: Browser, known: Path
) -> None:
    with shown(browser, known) as made:
        page = made.page
        page.locator("#filter-text").fill("nothing like it")
        link = page.locator(".answer li a", has_text="×0.02").first
        row = page.locator(str(link.get_attribute("href")))
        assert not row.is_visible()
        link.click()
        row.wait_for(state="visible")
        assert row.evaluate("row => row.matches(':target')")
        assert "×0.02" in row.inner_text()
        box = row.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= 900


def test_it_follows_the_reader_s_light_and_dark(browser: Browser, known: Path) -> None:
    seen: dict[str, Sequence[str]] = {}
    parts = (("body", "backgroundColor", "paper"), ("body", "color", "ink"), ("svg text", "fill", "ink"))
    series = (("#buffers-1 .stroke-c1", "stroke", "c1"), ("#blocks-1 .fill-c2", "fill", "c2"))
    schemes: tuple[Scheme, Scheme] = ("light", "dark")
    for scheme in schemes:
        with shown(browser, known, scheme=scheme) as made:
            seen[scheme] = [colour(made.page, selector, what) for selector, what, _ in (*parts, *series)]
    roles = [role for _, _, role in (*parts, *series)]
    assert seen["light"] == [SHADES[role].light for role in roles]
    assert seen["dark"] == [SHADES[role].dark for role in roles]


def test_hostile_text_is_shown_as_text_and_changes_nothing(browser: Browser, hostile: Path) -> None:
    with shown(browser, hostile) as made:
        page = made.page
        assert page.title() == f"{MARKUP}: streamgauge"
        assert page.locator("h1").inner_text() == MARKUP
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert MARKUP in page.locator("#figures tbody tr").first.inner_text()
        assert MARKUP in page.locator("#failures").inner_text()
        assert MARKUP in page.locator("#method").inner_text()
        page.locator("summary", has_text="The suite").click()
        assert MARKUP in page.locator("#method details").inner_text()
        # what turns the writing is spelt out, and so the words around a name keep their order
        assert "\\u202e" in page.locator("#figures tbody tr").first.inner_text()
        heading(page, "case").click()
        page.locator("#filter-text").fill("<script>")
        assert rows(page)
        assert made.complaints == []
