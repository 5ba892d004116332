"""SVG for a page: its colours are classes, nothing in it is forbidden there, and it says what it shows."""

from __future__ import annotations

import re

import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

from analysis.plots.colours import SHADES, classes, variables
from analysis.plots.drawing import LOOKS, drawn, plain
from analysis.plots.picture import Picture
from analysis.plots.svg import standalone
from tests.analysis.plots.reading import description_of, ids_of, parsed, paths_of, root_of, texts_of

LINE = [(0.0, 1.0), (1.0, 3.0), (4.0, 2.0)]


def _draw(figure: Figure) -> None:
    axes = figure.subplots()
    plain(axes, title="<b>$x_1$ & y</b>", x="seconds")
    axes.plot(*zip(*LINE, strict=True), color=LOOKS[0].colour, marker="o")
    axes.axhspan(1, 2, color=LOOKS[1].colour, alpha=0.2)


def picture(name: str = "one") -> Picture:
    return drawn(name, "A <title>", "What to see.", 'Says "5 < 6".', height_in=3, draw=_draw)


def test_the_points_of_a_line_survive() -> None:
    drawn_line = max(paths_of(picture(), "stroke-c1"), key=len)
    assert len(drawn_line) == len(LINE)
    (x0, y0), (x1, y1), (x2, y2) = drawn_line
    assert (x1 - x0) / (x2 - x0) == pytest.approx(1 / 4, abs=0.002)
    assert (y0 - y2) / (y0 - y1) == pytest.approx(1 / 2, abs=0.002)  # downwards is less


def test_it_has_a_text_alternative() -> None:
    made = picture()
    root = root_of(made)
    assert root.get("role") == "img"
    for identifier, text in zip(
        (root.get("aria-labelledby") or "").split(), ("A <title>", 'Says "5 < 6".'), strict=True
    ):
        (found,) = (element for element in root.iter() if element.get("id") == identifier)
        assert found.text == text
    assert description_of(made) == made.description


def test_a_page_that_allows_no_style_shows_it() -> None:
    """No style, script, event handler, link to elsewhere; what is drawn in our colours has their classes."""
    svg = picture().svg
    for element in parsed(svg).iter():
        assert element.tag.rsplit("}", 1)[-1] in {
            *("svg", "title", "desc", "g", "path", "defs", "use", "text", "tspan", "clipPath", "rect"),
        }
        assert not [key for key in element.attrib if key == "style" or key.startswith("on")]
    assert set(re.findall(r'href="([^"]*)"', svg)) <= {f"#{name}" for name in ids_of(svg)}
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", svg)
    css = classes()
    used = {name for names in re.findall(r'class="([^"]+)"', svg) for name in names.split()}
    assert {"stroke-c1", "fill-c1", "fill-c2", "stroke-grid", "fill-ink"} <= used
    assert all(f".{name}{{" in css for name in used)


def test_every_colour_has_a_dark_one() -> None:
    css = variables()
    bright, dim, _ = css.split("@media")
    for role, shade in SHADES.items():
        assert f"--{role}:{shade.light};" in bright
        assert f"--{role}:{shade.dark};" in dim


def test_names_are_text_and_no_formula() -> None:
    assert "<b>$x_1$ & y</b>" in texts_of(picture())


def test_the_same_data_make_the_same_bytes_whatever_the_reader_has_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = picture()
    monkeypatch.setitem(rcParams, "lines.linewidth", 9.0)
    monkeypatch.setitem(rcParams, "axes.facecolor", "red")
    assert picture() == first
    assert rcParams["lines.linewidth"] == 9.0  # and taken back


def test_two_pictures_share_no_identifier() -> None:
    first, second = ids_of(picture("one").svg), ids_of(picture("two").svg)
    assert first
    assert len(set(first)) == len(first)
    assert not set(first) & set(second)


def test_a_file_of_its_own_has_its_colours_with_it() -> None:
    file = standalone(picture().svg)
    root = parsed(file)
    style = root.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert variables() in (style.text or "")
    assert classes() in (style.text or "")
