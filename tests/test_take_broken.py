"""Project files that are cut, changed, hostile or newer: one line each, and the file stays as it was."""

import json
import os
import random
import re
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load as read_safetensors
from safetensors.numpy import save as write_safetensors

from choreia.errors import ChoreiaError
from choreia.export.take import load, save
from test_take import SONG, edited, members, same


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dance.take"


def write_zip(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, member in content.items() if isinstance(content, dict) else content:
            archive.writestr(name, member)


def refusal(path):
    """The one line that a broken file is answered with; the file stays as it was."""
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(path.parent)))
    with pytest.raises(ChoreiaError) as refused:
        load(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(path.parent))) == before
    line = str(refused.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    assert len(line) < len(str(path)) + 300
    return line


# ------------------------------------------------------------------------------------------------------------- broken files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"HIERARCHY\nROOT hips\n", "is not a take: give a file"),
        (b"PK\x03\x04 and then nothing", "is damaged: it is cut short"),
    ],
)
def test_a_file_that_is_no_take(path, content, message):
    path.write_bytes(content)
    assert message in refusal(path)


def test_a_zip_of_something_else(path):
    with path.open("wb") as file:
        np.savez(file, root=np.zeros(3))
    assert "is not a take: it is a zip of something else" in refusal(path)


def test_no_file_and_an_empty_file(path):
    with pytest.raises(ChoreiaError, match="cannot read"):
        load(path)
    path.touch()
    assert "is empty" in refusal(path)


def test_a_newer_take_says_so_before_anything_else_is_wrong(path):
    write_zip(path, {"take.json": json.dumps({"format": "choreia-take", "version": 3}), "something.new": b"?"})
    assert "was saved by a newer Choreia (take version 3, this one reads 2): update Choreia" in refusal(path)


def test_every_cut_is_noticed(path):
    save(edited(), path)
    whole = path.read_bytes()
    for length in range(1, len(whole), 211):
        path.write_bytes(whole[:length])
        refusal(path)


def test_a_changed_byte_is_noticed_or_means_nothing(path):
    save(edited(), path)
    whole, noticed = path.read_bytes(), 0
    draw = random.Random(0)
    for _ in range(400):
        at = draw.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        try:
            assert same(load(path), edited())
        except ChoreiaError as error:
            assert "\n" not in str(error)
            noticed += 1
    assert noticed > 300


def without(name):
    return lambda inside: {key: content for key, content in inside.items() if key != name}


def extra(name):
    return lambda inside: inside | {name: b"x"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("take.json"), "is not a take"),
        (without("arrays.safetensors"), "'arrays.safetensors' is missing"),
        (without(f"songs/{SONG.sha256}"), "the song .* is missing"),
        (lambda inside: inside | {f"songs/{SONG.sha256}": b"other sound"}, "do not have the SHA-256"),
        (extra("../../evil.py"), r"holds '\.\./\.\./evil\.py', which no take holds"),
        (extra("/etc/passwd"), "which no take holds"),
        (extra("songs/../../evil.py"), "belongs to nothing in it"),
        (lambda inside: [*inside.items(), ("take.json", inside["take.json"])], "two of its members have the same name"),
        (lambda inside: inside | {"arrays.safetensors": b"\xff" * 50}, "is damaged"),
        (lambda inside: inside | {"take.json": b"{"}, "is damaged"),
        (lambda inside: inside | {"take.json": b"[1]"}, "its JSON is not an object"),
        (lambda inside: inside | {"take.json": b"[" * 100_000}, "is damaged"),
        (lambda inside: inside | {"take.json": b"\xff\xfe\xfd"}, "is damaged"),
        (lambda inside: inside | {"take.json": b'{"format": NaN}'}, "not finite"),
        (lambda inside: inside | {"take.json": b'{"format": 1e999}'}, "not finite"),
        (lambda inside: inside | {"take.json": b'{"version": ' + b"9" * 9999 + b"}"}, "is damaged"),
    ],
)
def test_members_that_are_missing_too_many_or_broken(path, change, message):
    save(edited(), path)
    write_zip(path, change(members(path)))
    line = refusal(path)
    assert re.search(message, line), line


def test_other_compressions_are_refused(path):
    save(edited(), path)
    write_zip(path, members(path), zipfile.ZIP_LZMA)
    assert "compressed in a way that takes are not" in refusal(path)


# ----------------------------------------------------------------------------------------------------------- hostile files


def peak_bytes(path):
    tracemalloc.start()
    try:
        line = refusal(path)
        return line, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_by_what_it_declares(path):
    write_zip(path, {"take.json": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02") + 24
    path.write_bytes(content[:at] + struct.pack("<L", 1 << 31) + content[at + 4 :])
    line, peak = peak_bytes(path)
    assert "unpacks to more than 1 GiB" in line
    assert peak < 1_000_000


def test_a_bomb_that_declares_too_little_is_unpacked_no_further_than_that(path):
    write_zip(path, {"take.json": bytes(20_000_000)}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02") + 24
    path.write_bytes(content[:at] + struct.pack("<L", 100) + content[at + 4 :])
    line, peak = peak_bytes(path)
    assert "is damaged" in line
    assert peak < 1_000_000


def test_json_beyond_any_take_is_not_parsed(path, monkeypatch):
    monkeypatch.setattr("choreia.export.take.reading.LARGEST_PAGE", 100)
    write_zip(path, {"take.json": b"[" + b"{}," * 50 + b"{}]"})
    assert "JSON is larger" in refusal(path)


def test_a_list_of_members_that_is_too_long_is_not_read(path):
    write_zip(path, {f"member {number}": b"" for number in range(2000)})
    assert "more members than a take has" in refusal(path)


def test_a_second_end_that_hides_a_longer_list_is_refused(path):
    save(edited(), path)
    content = path.read_bytes()
    path.write_bytes(content[:-22] + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + content[-22:])
    assert "more members than a take has" in refusal(path)


# ------------------------------------------------------------------------------------------------------------ wrong content


def rewritten(path, page=None, arrays=None):
    inside = members(path)
    if page is not None:
        inside["take.json"] = json.dumps(page).encode()
    if arrays is not None:
        inside["arrays.safetensors"] = write_safetensors(arrays)
    write_zip(path, inside)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("base/motion/root", None, "the array base/motion/root is missing"),
        ("base/motion/root", lambda a: a[:-1], "the array base/motion/rotations has shape"),
        ("base/motion/rotations", lambda a: a[:, :2].copy(), "has shape"),
        ("base/motion/rotations", lambda a: a * 1.1, "not unit quaternions"),
        ("base/motion/root", lambda a: np.where(a > 0, np.nan, a), "not finite"),
        ("base/motion/root", lambda a: a > 0, "not finite numbers"),
        ("base/motion/offsets", lambda a: a[0], "base/motion/offsets has shape"),
        ("base/music/energy/values", lambda a: a[:, 0].copy(), "base/music/energy/values has shape"),
        ("base/music/features/x/y/values", lambda a: np.hstack([a, a]), "has shape"),
        ("base/music/beats_s", lambda a: a * np.inf, "not finite"),
        ("revisions/1/splices/0/root", lambda a: a[:2], "revisions/1/splices/0/rotations has shape"),
        ("revisions/1/splices/0/rotations", lambda a: a * 0, "not unit quaternions"),
        ("revisions/1/splices/0/rotations", lambda a: a[:, :2].copy(), "2 joints do not fit a dance of 3"),
        ("revisions/4/music/strong_s", None, "revisions/4/music/strong_s is missing"),
        ("what/is/this", lambda a: np.zeros(1), "'what/is/this' belongs to nothing in it"),
    ],
)
def test_arrays_that_do_not_fit_are_named(path, name, change, message):
    save(edited(), path)
    arrays = read_safetensors(members(path)["arrays.safetensors"])
    changed = {name: change(arrays.get(name))} if change else {}
    rewritten(path, arrays={key: value for key, value in arrays.items() if key != name} | changed)
    line = refusal(path)
    assert "is damaged" in line
    assert message in line


def set_in(page, keys, value):
    for key in keys[:-1]:
        page = page[key]
    page[keys[-1]] = value


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("at",), 6, "cannot stand at"),
        (("at",), True, "at is missing or of another kind"),
        (("variants", "calm"), 9, "cannot stand at"),
        (("ahead",), {"0": 2}, "does again"),
        (("ahead",), {"x": 1}, "invalid literal"),
        (("revisions", 0, "parent"), 1, "each after its parent"),
        (("revisions", 0, "splices", 0, "stop"), 13, "past the end of the dance, at frame 12"),
        (("revisions", 2, "splices", 0, "start"), "0", "revisions/3/splices/0/start is missing or of another kind"),
        (("base", "motion", "joints"), ["hips", "hips", "foot"], "equal names"),
        (("base", "motion", "parents"), [-1, 2, 1], "do not come after their parents"),
        (("base", "motion", "parents"), [-1, 0.5, 1], "base/motion/parents/1 is missing or of another kind"),
        (("base", "motion", "fps"), 0, "base/motion/fps is 0, not above 0"),
        (("base", "script", "moves", 0, "start_s"), None, "base/script/moves/0/start_s is missing"),
        (("base", "music", "meter"), 0, "base/music/meter is 0, not above 0"),
        (("base", "music", "sections", 1, "label"), 5, "base/music/sections/1/label"),
        (("song", "name"), "../../evil", "not a plain file name"),
        (("version",), "1", "it has no version"),
        (("format",), "choreia-motion-1", "is not a take"),
    ],
)
def test_values_that_do_not_fit_are_named(path, keys, value, message):
    save(edited(), path)
    page = json.loads(members(path)["take.json"])
    set_in(page, keys, value)
    rewritten(path, page)
    assert message in refusal(path)


def leaves(value, keys=()):
    yield keys
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(each, (*keys, key))


def test_any_value_of_any_other_kind_is_answered_or_harmless(tmp_path):
    """Whatever stands anywhere in the JSON: a clear line, or a take that can be danced and saved again."""
    path, again = tmp_path / "a.take", tmp_path / "b.take"
    save(edited(), path)
    inside, draw = members(path), random.Random(1)
    places = [keys for keys in leaves(json.loads(inside["take.json"])) if keys]
    for keys in places:
        page = json.loads(inside["take.json"])
        set_in(page, keys, draw.choice([None, True, -1, 10**30, 1e300, "", "x", [], [[]], {}, {"x": 1}]))
        write_zip(path, inside | {"take.json": json.dumps(page).encode()})
        try:
            found = load(path)
        except ChoreiaError as error:
            assert "\n" not in str(error)
        else:
            assert len(found.log()) == len(found.revisions) + 1
            _ = found.performance
            save(found, again)
