"""Settings are read from arguments, environment and file in that order, and nothing wrong gets through."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gmedbot.errors import UsageError
from gmedbot.settings import Settings, load_settings
from tests.support import ROOT

pytestmark = pytest.mark.core


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_arguments_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gmedbot.toml").write_text('port = 1\nhost = "file"\ncandidates = 60\n')
    monkeypatch.setenv("GMEDBOT_PORT", "2")
    monkeypatch.setenv("gmedbot_host", "environment")
    settings = load_settings(port=3)
    assert (settings.port, settings.host, settings.candidates) == (3, "environment", 60)


def test_text_of_the_environment_becomes_the_kind_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DENSE_WEIGHT": "0.5", "KEEP_BUILDS": "7", "ALLOW_PRIVATE_URLS": "yes", "INDEX": "x/y"}.items():
        monkeypatch.setenv(f"GMEDBOT_{name}", value)
    settings = load_settings()
    assert (settings.dense_weight, settings.keep_builds, settings.allow_private_urls) == (0.5, 7, True)
    assert settings.index == Path("x/y")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", 0, "less than 1"),
        ("port", 70_000, "more than 65535"),
        ("port", "many", "not a whole number"),
        ("port", 1.5, "not a whole number"),
        ("port", True, "not a whole number"),
        ("dense_weight", float("nan"), "not a number"),
        ("rerank_depth", 1, "less than 2"),
        ("rerank_depth", 201, "more than 200"),
        ("fetch_seconds", 0, "not more than 0"),
        ("backend", "oracle", "not one of embedded, postgres"),
        ("allow_private_urls", "perhaps", "not true or false"),
        ("host", 5, "not a text"),
        ("prot", 5, "there is no setting prot"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_may_be(name: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load_settings(**{name: value})


def test_every_wrong_value_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"(?s)passage_tokens.*port"):
        load_settings(port=0, passage_tokens=1)


def test_a_broken_file_is_a_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "gmedbot.toml").write_text("port = = 1\n")
    with pytest.raises(UsageError, match=r"gmedbot\.toml"):
        load_settings()


def test_other_variables_with_the_prefix_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GMEDBOT_CHROMIUM", "/somewhere")
    assert load_settings().port == 7860


def test_settings_are_frozen_and_a_changed_copy_is_checked_again() -> None:
    settings = Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]  # that is the point
    assert settings.changed(port=9).port == 9
    with pytest.raises(ValueError, match="port"):
        settings.changed(port=-1)


def test_the_fingerprint_follows_what_shapes_an_index_and_nothing_else() -> None:
    settings = Settings()
    assert settings.changed(port=9, index=Path("elsewhere")).fingerprint() == settings.fingerprint()
    for change in ({"passage_tokens": 100}, {"build_mode": "fast"}, {"dense_index": "flat"}, {"encoder": "other"}):
        assert settings.changed(**change).fingerprint() != settings.fingerprint()


def test_the_page_lists_every_setting_with_its_default_and_its_reason() -> None:
    rows = []
    for field in dataclasses.fields(Settings):
        default = {dataclasses.MISSING: "see text", None: "none"}.get(field.default, str(field.default))
        rows.append(f"| `{field.name}` | {default} | {field.metadata['description']} |")
    page = (ROOT / "docs" / "settings.md").read_text("utf-8").splitlines()
    assert [line for line in page if line.startswith("| `")] == rows
