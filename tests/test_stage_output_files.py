"""Cue sheets, MIDI files and MVR scenes, read back by other means than they were written by."""

import csv
import io
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.stage import cues, looks, rig, style
from choreia.stage.output import cuesheet, midi, mvr
from choreia.stage.output.show import Show, clock_text
from choreia.types import ZONES, Cue, Features, Music, RhythmEvents, Section, Stage

FPS = 30.0
HOUSE = rig.load()


def state(**levels):
    """A dark row with some zones lit; saturation 0 unless given, so that the light is white."""
    row = cues.dark(looks.look("warm_wash").full)
    light = row.light.copy()
    for zone in set(levels) & set(ZONES):
        light[0, ZONES.index(zone)] = levels[zone]
    fields = {name: np.atleast_1d(value) for name, value in levels.items() if name not in ZONES}
    return replace(row, **{"light": light, "saturation": np.zeros(1), **fields})


CUES = (
    Cue(0.5, 1.0, 1.0, state(top=1.0), "warm_wash"),
    Cue(2.04, 0.0, 2.0, state(spot=0.8, strobe_hz=2.5), "solo_spot", "=1+1 <b>"),
    Cue(3.0, 0.0, 0.5, state()),
)


def music(beats=12, start=0.5, downbeat=1):
    """120 beats a minute from `start`, bars of 4 whose first is on beat `downbeat`."""
    times = start + 0.5 * np.arange(beats)
    none = np.zeros(0)
    sections = (Section(0.0, 2.0, "A"), Section(2.0, 4.0, "B", 2))
    energy = Features(np.zeros((1, 1), np.float32), 30.0, ("energy",))
    return Music(6.5, times, times[downbeat::4], none, np.full(beats, 120.0), 4, sections, RhythmEvents(none, none, none), energy)


def show(played=CUES, duration_s=4.0, **more):
    track = cues.to_track(played, duration_s, FPS) if played else style.repeat(state(), round(duration_s * FPS))
    stage = Stage(track, np.zeros(1), ("warm_wash",), track.rows(slice(0, 1)), tuple(played), FPS)
    return Show(**{"name": "A show", "stage": stage, "rig": HOUSE, "music": music(), **more})


@pytest.mark.parametrize(
    ("time_s", "text"), [(0, "00:00.0"), (59.94, "00:59.9"), (59.96, "01:00.0"), (6000.04, "100:00.0"), (61.25, "01:01.2")]
)
def test_times_as_people_write_them(time_s, text):
    assert clock_text(time_s) == text


@pytest.mark.parametrize(
    ("time_s", "bar"), [(0.0, "0.3"), (0.5, "0.4"), (1.0, "1.1"), (0.98, "1.1"), (1.49, "1.2"), (2.4, "1.3"), (2.99, "2.1"), (4.6, "2.4")]
)
def test_bars_and_beats(time_s, bar):
    """Beats at 0.5, 1.0, ...; bar 1 begins at 1.0, bar 2 at 3.0; 1/30 s early counts as on the beat."""
    assert show().bar(time_s) == bar


def test_no_bars_without_a_beat():
    assert show(music=None).bar(1.0) == "" and show(music=music(beats=1)).bar(1.0) == ""


def test_a_cue_sheet_line_by_line():
    dancer = np.tile([-1.5, 1.2, 0.5], (120, 1))
    rows = list(csv.reader(io.StringIO(cuesheet.to_csv(show(dancer_m=dancer)))))
    assert rows[0] == list(cuesheet.TITLES)
    assert rows[1] == ["1", "00:00.50", "0.4", "1.0", "1.0", "warm wash", "warm wash", "#ffffff", "", ""]
    assert rows[2] == ["2", "00:02.04", "1.3", "0.0", "2.0", "solo spot", "'=1+1 <b>", "#ffffff", "80 % 1.5 R 0.5 down", "2.5"]
    assert rows[3] == ["3", "00:03.00", "2.1", "0.0", "0.5", "blackout", "blackout", "#000000", "", ""]


class Cells(HTMLParser):
    """The texts of all table cells, and every tag seen."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_the_html_page_says_what_the_csv_says_and_escapes():
    page = Cells()
    page.feed(cuesheet.to_html(show()))
    rows = list(csv.reader(io.StringIO(cuesheet.to_csv(show()))))
    assert [[cell.strip() for cell in row] for row in page.rows] == [[cell.lstrip("'") for cell in row] for row in rows]
    assert "b" not in page.tags and not page.tags & {"script", "link", "img"}


def test_a_pdf_of_two_pages(tmp_path):
    pytest.importorskip("matplotlib")
    many = tuple(replace(CUES[0], time_s=0.1 * number, label="a $ sign") for number in range(40))
    for name in ("a.pdf", "b.pdf"):
        cuesheet.write(tmp_path / name, show(many, 5.0))
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF") and content.count(b"/Type /Page ") == 2
    assert content == (tmp_path / "b.pdf").read_bytes()


def test_a_sheet_of_another_kind_or_in_no_folder(tmp_path):
    with pytest.raises(ChoreiaError, match="choose one"):
        cuesheet.write(tmp_path / "cues.doc", show())
    with pytest.raises(ChoreiaError, match="does not exist"):
        cuesheet.write(tmp_path / "none" / "cues.csv", show())
    cuesheet.write(tmp_path / "cues.csv", show())
    assert [one.name for one in tmp_path.iterdir()] == ["cues.csv"]


def test_markers_at_their_milliseconds(tmp_path):
    for name in ("a.mid", "b.mid"):
        midi.write(tmp_path / name, show())
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(4.0, abs=1e-6)
    found = []
    for track in file.tracks:
        now = 0.0
        for event in track:
            now += mido.tick2second(event.time, file.ticks_per_beat, 500_000)
            if event.type in ("marker", "cue_marker"):
                found.append((round(now, 4), event.text))
    assert found == [(0, "A 1"), (2, "B 2"), (0.5, "1 0.4 warm wash"), (2.04, "2 1.3 =1+1 <b>"), (3, "3 2.1 blackout")]
    located = [event.bytes() for event in file.tracks[1] if event.type == "sysex"]
    assert located[1] == [0xF0, 0x7F, 0x7F, 0x01, 0x01, 0x20, 0, 2, 1, 0xF7]  # 25 a second: frame 1 is from 40 to 80 ms


def test_time_code_by_hand():
    """1 h 2 min 3 s and 17 frames of 30: pieces carry 1, 1, 3, 0, 2, 0, 1, and 6: rate bits 3 and the hour's high bit."""
    at = 3600 + 120 + 3 + 17 / 30
    assert midi.time_code(at, 30) == (1, 2, 3, 17)
    assert [midi.quarter_frame(at, piece, 30).frame_value for piece in range(8)] == [1, 1, 3, 0, 2, 0, 1, 6]
    assert midi.quarter_frame(at, 7, 30).bytes() == [0xF1, 0x76]
    assert midi.full_frame(at, 30).bytes() == [0xF0, 0x7F, 0x7F, 1, 1, 0x61, 2, 3, 17, 0xF7]
    with pytest.raises(ChoreiaError, match="29"):
        midi.time_code(at, 29)


def test_running_time_code_is_what_a_receiver_decodes():
    """A receiver has a code after eight quarter frames, which then is two frames old."""
    now, sent = [0.0], []

    class Port:
        def send(self, message):
            sent.append(message)

    def clock():
        now[0] += 0.001
        return now[0]

    midi.play(Port(), 1.0, clock, 25, sleep=lambda _: None)
    quarters = [message for message in sent if message.type == "quarter_frame"]
    assert [message.type for message in sent].count("sysex") == 1 and len(quarters) == 100
    codes = []
    for start in range(0, 96, 8):
        nibbles = [message.frame_value for message in quarters[start : start + 8]]
        codes.append((nibbles[0] + 16 * nibbles[1], nibbles[2] + 16 * nibbles[3]))
    assert codes == [(2 * number, 0) for number in range(12)]


def matrices(root):
    for node in root.iter("Fixture"):
        rows = [[float(part) for part in row.split(",")] for row in node.find("Matrix").text.strip("{}").split("}{")]
        yield node, np.array(rows)


def test_an_mvr_scene_has_every_lamp_where_it_hangs(tmp_path):
    for name in ("a.mvr", "b.mvr"):
        mvr.write(tmp_path / name, HOUSE)
    assert (tmp_path / "a.mvr").read_bytes() == (tmp_path / "b.mvr").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.mvr") as archive:
        assert archive.namelist() == ["GeneralSceneDescription.xml"]
        root = ElementTree.fromstring(archive.read("GeneralSceneDescription.xml"))
    assert len(list(root.iter("Fixture"))) == 16
    assert len({node.get("uuid") for node in root.iter("Fixture")}) == 16
    for (node, rows), lamp in zip(matrices(root), HOUSE.fixtures, strict=True):
        x, y, z = lamp.position_m
        assert rows[3] == pytest.approx([1000 * x, -1000 * z, 1000 * y])
        assert np.allclose(rows[:3] @ rows[:3].T, np.eye(3), atol=1e-5) and np.linalg.det(rows[:3]) == pytest.approx(1, abs=1e-5)
        assert node.find("Addresses/Address").text == str(lamp.address)
        if not lamp.profile.moves:
            fx, fy, fz = lamp.focus_m
            way = np.array([1000 * fx, -1000 * fz, 1000 * fy]) - rows[3]
            assert -rows[2] == pytest.approx(way / np.linalg.norm(way), abs=1e-5)


def test_heads_and_far_universes_in_mvr():
    """A head that hangs is not turned; one that stands is half a turn about the axis to the audience. Universe 3, channel 5 is 1029."""
    head = replace(HOUSE.fixtures[-1], universe=3, address=5)
    floor = replace(HOUSE.fixtures[-2], rotation_deg=(0.0, 0.0, 180.0))
    (hanging, rows), (_, turned) = matrices(mvr.scene(rig.Rig("Two", (head, floor))))
    assert np.allclose(rows[:3], np.eye(3)) and hanging.find("Addresses/Address").text == "1029"
    assert np.allclose(turned[:3], np.diag([-1, 1, -1]), atol=1e-6)


def test_hostile_names_stay_text(tmp_path):
    """Names are written as text, and no name becomes a path."""
    nasty = '../../x"><Fixture/>&\x00\n'
    lamps = (replace(HOUSE.fixtures[0], name=rig.plain(nasty), profile=replace(HOUSE.fixtures[0].profile, manufacturer=nasty, name=nasty)),)
    mvr.write(tmp_path / "x.mvr", rig.Rig(rig.plain(nasty), lamps))
    with zipfile.ZipFile(tmp_path / "x.mvr") as archive:
        (name,) = archive.namelist()
        root = ElementTree.fromstring(archive.read(name))
    (node,) = root.iter("Fixture")
    assert node.get("name") == '../../x"><Fixture/>&'
    assert set(node.find("GDTFSpec").text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz @.")
    assert Path(node.find("GDTFSpec").text).name == node.find("GDTFSpec").text


def test_a_dancer_of_another_length():
    with pytest.raises(ChoreiaError, match="dancer has shape"):
        show(dancer_m=np.zeros((7, 3)))
