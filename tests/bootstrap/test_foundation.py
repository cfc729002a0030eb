"""A named database is used as it is, or refused with the setting that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from amarktai.bootstrap.foundation import new_database, start_database
from amarktai.config import load
from amarktai.domain.errors import Conflict, Unavailable
from amarktai.storage.embedded import DatabaseUrls


def test_a_named_database_without_an_owner_must_be_at_this_version(
    database_urls: DatabaseUrls, blank_database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    server, urls = start_database(load({"AMARKTAI_DATABASE_URL": database_urls.app}, home=tmp_path))
    assert server is None and urls.app == database_urls.app
    with pytest.raises(Unavailable) as refused:
        start_database(load({"AMARKTAI_DATABASE_URL": blank_database_urls.app}, home=tmp_path))
    assert "version none" in refused.value.detail
    assert "AMARKTAI_DATABASE_OWNER_URL" in refused.value.action


def test_an_owners_url_migrates_a_named_database(blank_database_urls: DatabaseUrls, tmp_path: Path) -> None:
    values = {
        "AMARKTAI_DATABASE_URL": blank_database_urls.app,
        "AMARKTAI_DATABASE_OWNER_URL": blank_database_urls.owner,
    }
    start_database(load(values, home=tmp_path))
    start_database(load({"AMARKTAI_DATABASE_URL": blank_database_urls.app}, home=tmp_path))


def test_a_replay_or_rehearsal_takes_no_named_database(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    settings = load({"AMARKTAI_DATABASE_URL": database_urls.app}, home=tmp_path)
    with (
        pytest.raises(Conflict, match="no other one") as refused,
        new_database(settings, "rehearsal"),
    ):
        pass
    assert "AMARKTAI_DATABASE_URL" in refused.value.action
