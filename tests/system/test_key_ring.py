"""The encryption key's file: made closed, read only when closed, strong and outside the data."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest

from amarktai.domain.errors import AmarktaiError, Conflict, InvalidInput, Unavailable
from amarktai.system.key_ring import FileKeyRing, VariableKeyRing, parse_ring
from tests.fakes import SeededRng
from tests.key_rings import kek, key_text


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data.key"


def ring_at(path: Path, seed: str = "file") -> FileKeyRing:
    return FileKeyRing(path, path.parent / "data", SeededRng(seed))


def test_the_first_key_is_made_closed_and_stays(place: Path) -> None:
    ring = ring_at(place)
    assert not ring.exists()
    ring.create()
    assert place.stat().st_mode & 0o777 == 0o600
    first = ring.read().current
    ring_at(place, "another").create()
    assert ring.read().keys == (first,)
    assert os.listdir(place.parent) == ["data", "data.key"] or set(os.listdir(place.parent)) == {
        "data",
        "data.key",
    }


def test_of_many_who_start_at_once_one_makes_the_key(place: Path) -> None:
    threads = [threading.Thread(target=ring_at(place, str(n)).create) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ring_at(place).read().keys) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_file_that_others_can_use_is_refused(place: Path, mode: int) -> None:
    ring = ring_at(place)
    ring.create()
    place.chmod(mode)
    with pytest.raises(InvalidInput, match="open to others") as refusal:
        ring.read()
    assert refusal.value.action == f"Close it with: chmod 600 {place}"


def test_a_key_inside_the_data_folder_is_refused_however_it_gets_there(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir()
    (tmp_path / "link").symlink_to(home)
    for path in (home / "x.key", home / "deep" / "x.key", tmp_path / "link" / "x.key"):
        with pytest.raises(InvalidInput, match="inside the data folder"):
            FileKeyRing(path, home, SeededRng()).create()
        assert not path.exists()


def test_a_symbolic_link_or_a_folder_is_no_key(place: Path) -> None:
    real = place.with_name("real.key")
    ring_at(real).create()
    place.symlink_to(real)
    with pytest.raises(InvalidInput, match="cannot be read"):
        ring_at(place).read()
    place.unlink()
    place.mkdir(mode=0o700)
    with pytest.raises(AmarktaiError):
        ring_at(place).read()


def test_a_missing_key_says_so(place: Path) -> None:
    with pytest.raises(Unavailable, match="missing"):
        ring_at(place).read()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "hunter2",
        "correct horse battery staple",
        base64.b64encode(b"short").decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b"abcdabcdabcdabcdabcdabcdabcdabcd").decode(),
        base64.b64encode(SeededRng().bytes(31)).decode(),
        base64.b64encode(SeededRng().bytes(33)).decode(),
        key_text("good") + ",weak",
        "ö" * 44,
    ],
)
def test_weak_keys_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_ring(text, "the test")
    assert "openssl rand" in refusal.value.action
    assert not text.strip() or text.strip() not in f"{refusal.value.detail} {refusal.value.action}"


def test_a_rotation_can_be_left_and_taken_up_again(place: Path) -> None:
    first = ring_at(place)
    first.create()
    old = first.read().current
    during = first.begin_rotation()
    assert len(during.keys) == 2 and during.keys[1] == old and during.current != old
    assert first.begin_rotation() == during  # as after a kill
    assert place.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict, match="Another rotation"):
        ring_at(place, "second").begin_rotation()
    first.finish_rotation()
    assert first.read().keys == (during.current,)


def test_a_ring_shows_no_key() -> None:
    one = kek("x")
    ring = parse_ring(key_text("x"), "the test")
    assert base64.b64encode(one.key).decode() not in repr(ring) and repr(one.key) not in repr(ring)
    assert one.id not in base64.b64encode(one.key).decode()


def test_a_variable_is_rotated_by_whoever_sets_it() -> None:
    alone = VariableKeyRing(key_text("one"))
    assert alone.exists() and alone.read().current == kek("one")
    with pytest.raises(InvalidInput, match="none to rotate to"):
        alone.begin_rotation()
    both = VariableKeyRing(f"{key_text('new')},{key_text('one')}")
    assert [key.id for key in both.begin_rotation().keys] == [kek("new").id, kek("one").id]
