"""The application without a browser: routes, headers, trouble, the maintainers' door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gmedbot.errors import IndexDamagedError, IndexMissingError
from gmedbot.settings import Settings, load_settings
from gmedbot.ui.app import _Votes, build_app
from gmedbot.ui.blocks import build_blocks
from gmedbot.ui.stream import check_question, options_from, stream_answer
from tests.ui.fake import LIBRARY, FakeBot

pytestmark = pytest.mark.core

QUESTION = "Which nerve supplies the gluteus medius?"


def settings_in(folder: Path, **more: object) -> Settings:
    return load_settings(index=folder, **more)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("index")
    with TestClient(build_app(FakeBot(), settings_in(folder, maintainer_password="correct horse"), pace=0)) as made:
        yield made


def test_the_api_gives_the_stable_answer(client: TestClient) -> None:
    found = client.post("/api/ask", json={"question": QUESTION}).json()
    assert found["status"] == "answered" and found["index"] == "fake-1"
    for citation in found["citations"]:
        assert LIBRARY.documents[citation["source_id"]][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": "  "}, {"question": "x" * 10_000},
                                  {"question": "x", "unknown": 1}, {"question": "x", "options": {"length": "long"}}])  # fmt: skip
def test_the_api_refuses_what_is_no_question(client: TestClient, body: dict[str, object]) -> None:
    assert client.post("/api/ask", json=body).status_code == 422


def test_every_page_is_closed_to_other_hosts(client: TestClient) -> None:
    for path in ("/", "/explore", "/anatomy", "/nowhere", "/api/ui/start", "/healthz"):
        response = client.get(path)
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert ("unsafe-eval" in policy) == (path == "/")


def test_pages_name_no_other_host(client: TestClient) -> None:
    for path in ("/explore", "/anatomy", "/explore?view=findings", "/maintain"):
        assert 'src="http' not in client.get(path).text and 'rel="stylesheet" href="http' not in client.get(path).text


def test_files_are_kept_for_good_only_under_a_name_that_changes_with_them(client: TestClient) -> None:
    assert "immutable" in client.get("/gm/base.css?v=1").headers["cache-control"]
    assert client.get("/gm/base.css").headers["cache-control"] == "no-cache"
    assert client.get("/gm/../app.py").status_code == 404


def test_gradios_file_routes_are_closed(client: TestClient) -> None:
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
    assert client.get("/gradio_api/file=/etc/hostname").status_code == 404


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/api/ui/render", content=b"x" * 4_000_001).status_code == 413


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/explore", "Side-lying hip abduction"),
        ("/explore?exercise=clamshell", "Clam"),
        ("/explore?source=gray-1918", "Anatomy of the Human Body"),
        ("/explore?finding=f-roots-a", "1 source says otherwise"),
        ("/explore?view=compare", "Nerve roots"),
        ("/explore?view=compare&attribute=nerve", "2 independent sources agree"),
        ("/explore?view=findings&status=disputed", "Disputed"),
        ("/explore?view=sources", "Sources by kind and year"),
        ("/anatomy?part=superior-gluteal-nerve", "Ask about it"),
    ],
)
def test_deep_links_lead_where_they_say(client: TestClient, address: str, words: str) -> None:
    response = client.get(address)
    assert response.status_code == 200 and words in response.text


@pytest.mark.parametrize("address", ["/explore?exercise=none", "/explore?source=none", "/explore?finding=none",
                                     "/anatomy?part=none", "/nowhere"])  # fmt: skip
def test_wrong_addresses_get_a_page_that_leads_back(client: TestClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404 and "Go to the chat" in response.text


def test_a_passage_is_shown_with_its_quote_and_an_unknown_one_is_said_to_be_gone(client: TestClient) -> None:
    claim = LIBRARY.claims["gray-1918.nerve.0"]
    found = client.get("/api/ui/passage", params={"id": claim.passage_id, "start": claim.start, "end": claim.end})
    assert f">{claim.text}</mark>" in found.text
    assert client.get("/api/ui/passage", params={"id": "<img>"}).status_code == 404


def test_records_are_drawn_again_and_foreign_ones_are_left_out(client: TestClient) -> None:
    from gmedbot.ui.records import answer_to_record

    record = answer_to_record(FakeBot().ask(QUESTION))
    shown = client.post("/api/ui/render", json={"records": [record, {"old": 1}, None]}).json()
    assert shown[0]["blocks"] and shown[0]["count"] == 3 and shown[1:] == [None, None]


def test_votes_are_kept_and_shown_to_maintainers_only(client: TestClient) -> None:
    vote = {"client": "somebody1", "turn": "t1", "value": "down", "reason": "wrong", "question": "<b>q</b>"}
    assert client.post("/api/ui/vote", json=vote).json() == {"kept": True}
    closed = client.get("/maintain").text
    assert "Password" in closed and "&lt;b&gt;q" not in closed
    assert client.post("/maintain/login", data={"password": "wrong"}).status_code == 403
    opened = client.post("/maintain/login", data={"password": "correct horse"})
    assert "&lt;b&gt;q&lt;/b&gt;" in opened.text and "Nerve roots" in opened.text
    cookie = opened.history[0].headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    client.post("/maintain/logout")
    assert "Password" in client.get("/maintain").text


def test_a_declined_question_is_kept_for_the_maintainers_and_a_greeting_is_not(tmp_path: Path) -> None:
    votes = _Votes(settings_in(tmp_path))
    for question in ("hello", "What is the weather?", QUESTION):
        votes.note(FakeBot().ask(question))
    store = votes.get()
    assert store is not None and [item.question for item in store.unanswered()] == ["What is the weather?"]


def test_gradio_shows_no_words_of_its_own_so_there_is_nothing_for_it_to_translate() -> None:
    config = build_blocks(lambda data: iter(()), 100).get_config_file()
    worded = {"label", "placeholder", "info", "submit_btn", "stop_btn", "description"}
    assert {part["type"] for part in config["components"]} == {"html"}
    assert [part["props"][name] for part in config["components"] for name in worded if part["props"].get(name)] == []


def test_guessing_the_password_is_braked(tmp_path: Path) -> None:
    with TestClient(build_app(FakeBot(), settings_in(tmp_path, maintainer_password="correct horse"))) as other:
        codes = [other.post("/maintain/login", data={"password": "x"}).status_code for _ in range(10)]
        assert codes[0] == 403 and codes[-1] == 429
        other.cookies.set("gmedbot_maintainer", "9999999999.forged")
        assert "Password" in other.get("/maintain").text


def test_without_a_password_there_is_no_maintainers_page(tmp_path: Path) -> None:
    with TestClient(build_app(FakeBot(), settings_in(tmp_path))) as other:
        assert other.get("/maintain").status_code == 404
        assert other.post("/maintain/login", data={"password": ""}).status_code == 404


@pytest.mark.parametrize("kind", [IndexMissingError, IndexDamagedError])
def test_without_an_index_every_page_says_what_to_run(tmp_path: Path, kind: type[IndexMissingError]) -> None:
    error = kind("An index in index/.", "none <b>", "gmedbot index build")
    with TestClient(build_app(None, settings_in(tmp_path), error=error)) as other:
        for path in ("/", "/explore", "/anatomy?part=piriformis"):
            response = other.get(path)
            assert response.status_code == 503 and "gmedbot index build" in response.text
            assert "none &lt;b&gt;" in response.text
        assert other.get("/healthz").json()["error"]["fix"] == "gmedbot index build"
        assert other.post("/api/ask", json={"question": "x"}).status_code == 503


def test_the_chat_opens_by_itself_once_there_is_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmedbot.ui.loaded._LOOK_AGAIN", 0.0)
    app = build_app(None, settings_in(tmp_path), reopen=FakeBot, error=IndexMissingError("an index"))
    with TestClient(app) as other:
        assert other.get("/healthz").json()["status"] == "ok"


def test_the_stream_never_raises_and_says_what_went_wrong(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    def last(data: object) -> str:
        return list(stream_answer(data, FakeBot, settings, pace=0))[-1]

    assert '"failed": true' in last({"turn": "t", "question": "crash"})
    assert (
        "error" in last({"turn": "t", "question": " "})
        and "error" in last(None)
        and "error" in last({"question": ["x"]})
    )
    assert '"record"' in last({"turn": "t", "question": "nerve", "history": "x", "options": ["y"]})
    assert "<" not in last({"turn": "t", "question": "nerve <b>"})


def test_options_come_through_and_nonsense_counts_as_not_chosen() -> None:
    chosen = options_from(
        {"topics": ["injury", "nonsense", 3], "length": "short", "evidence": "studies", "wording": "source"}
    )
    assert "surgery" in chosen.topics and chosen.length == "short" and chosen.evidence == "studies"
    assert chosen.wording == "source" and options_from({"wording": "loud"}).wording == "plain"
    assert options_from({"topics": "x", "length": 1}) == options_from(None)


def test_questions_are_checked_in_words(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert check_question("x" * 10_000, settings) and "10,000" in str(check_question("x" * 10_000, settings))
    assert check_question("", settings) and check_question(None, settings)
    assert check_question("Why?", settings) is None
