"""What a folder seems to hold, from its files alone."""

from __future__ import annotations

from pathlib import Path

from harness.discovery import found_in

FLASK = """
import flask
raise SystemExit("whoever looks for an app must not import it")
app = flask.Flask(__name__)
unlike = dict()

@app.get("/health")
def health(): ...

@app.route("/orders.csv", methods=["GET"])
def orders(): ...

@app.get("/orders/<int:number>")
def order(number): ...
"""


def names(folder: Path) -> list[tuple[str, bool]]:
    return [(app.name, app.is_wsgi) for app in found_in(folder).apps]


def test_an_app_is_found_with_its_plain_routes_and_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(FLASK)
    (app,) = found_in(tmp_path).apps
    assert (app.name, app.is_wsgi, app.routes) == ("shop:app", True, ["/health", "/orders.csv"])


def test_usual_names_come_first(tmp_path: Path) -> None:
    for name in ("aaa", "wsgi", "app"):
        (tmp_path / f"{name}.py").write_text(
            "from shop import create_app\napplication: object = create_app()\n"
        )
    assert [name for name, _ in names(tmp_path)] == ["app:application", "wsgi:application", "aaa:application"]


def test_django_s_and_starlette_s(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text("import os\n")
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite" / "__init__.py").write_text("")
    (tmp_path / "mysite" / "asgi.py").write_text("application = get_asgi_application()\n")
    (tmp_path / "mysite" / "wsgi.py").write_text("application = get_wsgi_application()\n")
    (tmp_path / "stars.py").write_text(
        "from starlette.applications import Starlette\nsky = Starlette(routes=[Route('/rows.csv', rows)])\n"
    )
    assert found_in(tmp_path).apps[0].routes == ["/rows.csv"]
    assert names(tmp_path) == [
        ("stars:sky", False),
        ("mysite.wsgi:application", True),
        ("mysite.asgi:application", False),
    ]


def test_what_makes_an_app_is_found_behind_apps(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(
        "def create_app(config=None, *, debug=False):\n    app = Flask(__name__)\n"
        "    @app.get('/rows')\n    def rows(): ...\n    return app\n"
        "def make(): return FastAPI()\n"
        "def wants(config):\n    app = Flask(__name__)\n    return app\n"
        "def needs(*, config):\n    return Flask(__name__)\n"
        "def other():\n    app = Flask(__name__)\n    return dict(app=app)\n"
        "async def later():\n    return Flask(__name__)\n"
    )
    assert names(tmp_path) == [("shop:create_app()", True), ("shop:make()", False)]
    assert found_in(tmp_path).apps[0].routes == ["/rows"]
    (tmp_path / "zzz.py").write_text("from shop import create_app\nserved = create_app()\n")
    assert names(tmp_path)[0] == ("zzz:served", True)


def test_what_cannot_be_read_is_no_app(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("app = Flask(\n")
    (tmp_path / "main.py").write_bytes(b"app = Flask('\x00')\n")
    (tmp_path / "wsgi.py").mkdir()
    (tmp_path / "server.py").write_text("def create():\n    app = Flask('not at the top')\n")
    assert names(tmp_path) == []
    assert found_in(tmp_path / "nowhere").apps == []


def test_an_environment_s_interpreter(tmp_path: Path) -> None:
    assert found_in(tmp_path).python is None
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert found_in(tmp_path).python == python
