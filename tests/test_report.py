"""Evaluation reports: numbers survive, warnings are seen, names cannot do harm, files are whole or absent."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.export.report import Report, Worst, check_report, to_html, to_json, to_markdown, to_text, write_report
from choreia.export.report import write as writing
from choreia.export.report.content import interval, number, standing, strongest
from choreia.export.report.figures import strip
from choreia.export.report.plots import _ellipse, against_nulls, cloud, phases, scale, speed
from choreia.export.report.svg import Frame, span, ticks
from choreia.metrics.base import JOINTS, About, Clip, NullScore, Result
from choreia.motion.kinematics import positions
from choreia.motion.skeleton import choreia24
from choreia.types import Motion

EVIL = "<script>alert('x')</script>\"|`[a](http://b.c)\x1b[31m\n& \udcff"
VOID = {"meta", "br"}


def about(name="BAS", dialect="bailando", **changes):
    fields = {"better": "higher", "unit": "", "range": "0 to 1", "source": "a paper", "fooled_by": "noise", "fps": 60.0}
    return About(name=name, dialect=dialect, **(fields | changes))


def standing_clip(name="stand", frames=60, sway_m=0.0):
    """T-pose, pelvis at 1 m, that sways from side to side once a second."""
    rotations = np.zeros((frames, 24, 4), np.float32)
    rotations[..., 0] = 1
    root = np.tile([0.0, 1.0, 0.0], (frames, 1))
    root[:, 0] = sway_m * np.sin(2 * np.pi * np.arange(frames) / 30)
    return Clip(name, positions(Motion(choreia24(), root, rotations, 30.0)), 30.0)


def full(**changes):
    reached = NullScore("shuffled songs", 0.25, 0.01, -0.9, 0.62, True)
    clear = NullScore("time shift", 0.1, 0.02, 7.0, 0.0, False)
    fields = {
        "title": "Takes", "folder": "takes",
        "results": (
            Result(about(), 0.2412, 0.2213, 0.2627, 12, 0.2371, (clear, reached), ("resampled to 60 fps",), {"stand": 0.2412}),
            Result(about("F1", "corrected"), 0.4321, nulls=(clear,), items=12),
            Result(about("PFC", "edge", better="lower"), float("nan"), items=12, reference=float("inf")),
            Result(about("slide", "corrected", better="lower", unit="m/s"), 0.000123456),
        ),
        "notes": ("2 takes were resampled",), "skipped": (("FID_g (mint)", "no reference set"),),
        "clips": (standing_clip(sway_m=0.2), standing_clip("other")), "beats": {"stand": np.array([0.5, 1.0])},
        "motion_beats": {"stand": np.array([0.25, 0.75])}, "phases": np.array([3, 1, 0, 2]),
        "features": (np.eye(4), np.arange(20.0).reshape(5, 4)), "worst": (Worst("stand", "slide", 0.7, "m/s", 0.1),),
        "meanings": {"edge/PFC": "feet that slide while nothing pushes"},
    }  # fmt: skip
    return Report(**(fields | changes))


class Page(HTMLParser):
    """Checks that elements nest, and gathers tags, references and visible text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.references, self.text = [], [], [], ""
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in {"src", "href", "xlink:href", "action", "data"}]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_json_holds_the_numbers_and_nothing_that_is_no_number():
    told = json.loads(json.dumps(to_json(full()), allow_nan=False))
    bas, f1, pfc, slide = told["results"]
    assert (bas["value"], bas["low"], bas["high"], bas["reference"]) == (0.2412, 0.2213, 0.2627, 0.2371)
    assert bas["nulls"][1] == {"null": "shuffled songs", "mean": 0.25, "std": 0.01, "z": -0.9, "p": 0.62, "reached": True}
    assert (bas["name"], bas["dialect"], bas["fooled_by"], bas["scores"]) == ("BAS", "bailando", "noise", {"stand": 0.2412})
    assert pfc["value"] is None and pfc["reference"] is None and "undefined" in pfc["words"][0]
    assert [result["standing"] for result in (bas, f1, pfc, slide)] == ["reached", "clear", "undefined", "untested"]
    assert told["phases"] == [3, 1, 0, 2]
    assert told["worst"] == [{"name": "stand", "metric": "slide", "number": 0.7, "unit": "m/s", "mean": 0.1}]


def test_json_takes_numpy_scalars():
    odd = NullScore("frozen", np.float32(0.5), np.float64("nan"), None, np.float64(1), np.bool_(True))
    result = Result(about(), np.float64(0.5), items=np.int64(3), nulls=(odd,), scores={"a": np.float32("inf")})
    told = json.loads(json.dumps(to_json(full(results=(result,))), allow_nan=False))["results"][0]
    assert told["items"] == 3 and told["scores"] == {"a": None}
    assert told["nulls"] == [{"null": "frozen", "mean": 0.5, "std": None, "z": None, "p": 1.0, "reached": True}]


def test_a_score_that_too_little_speaks_for_is_left_open():
    luck = NullScore("other songs", 0.1, 0.02, 5.0, 0.1, False)
    result = Result(about(), 0.2, items=4, nulls=(luck, replace(luck, null="frozen", p=0.001)))
    assert to_json(full(results=(result,)))["results"][0]["standing"] == "open"
    assert "too few songs" in to_text(full(results=(result,)))
    assert to_json(full(results=(replace(result, nulls=result.nulls[1:]),)))["results"][0]["standing"] == "clear"


def test_markdown_tables_hold_the_numbers():
    text = to_markdown(full())
    rows = {cells[1]: cells[2:-1] for line in text.splitlines() if (cells := [cell.strip() for cell in line.split("|")]) and len(cells) > 3}
    assert float(rows["⚠ BAS"][0]) == 0.2412
    assert [float(word) for word in rows["⚠ BAS"][1].split(" to ")] == [0.2213, 0.2627]
    assert float(rows["⚠ BAS"][2]) == 0.2371
    assert rows["⚠ BAS"][3] == "shuffled songs: z -0.9, p 0.62"
    assert float(rows["slide"][0]) == pytest.approx(0.000123456, rel=1e-3) and rows["slide"][5] == "m/s"
    assert rows["∅ PFC"][0] == "–" and "undefined" in rows["∅ PFC"][6]
    assert text.index("## corrected") < text.index("## bailando") < text.index("## edge") < text.index("no reference set")


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (float("nan"), "–"), (0.0, "0"), (12345.678, "12346"), (-0.00012, "-0.00012"), (3.14159, "3.142")]
)
def test_numbers_keep_four_digits(value, shown):
    assert number(value) == shown


def test_the_strongest_null_is_the_one_that_reaches_the_score():
    far, near = NullScore("far", 0, 1, 9.0, 0.0, False), NullScore("near", 0, 1, 1.2, 0.2, False)
    reaching = NullScore("reaching", 0, 1, 2.0, 0.1, True)
    assert strongest(Result(about(), 1.0, nulls=(far, near))).null == "near"
    assert strongest(Result(about(), 1.0, nulls=(far, near, reaching))).null == "reaching"
    assert strongest(Result(about(), 1.0)) is None
    assert standing(Result(about(), None, nulls=(reaching,))) == "undefined"


def test_the_terminal_form_is_narrow_and_marks_what_a_null_reaches():
    long = Result(about("n" * 200, "d" * 200, unit="u" * 50), -1.234e-20, -1e-20, 1e20)
    wide = full(results=(*full().results, long), notes=("w " * 300,))
    lines = to_text(wide).splitlines()
    assert max(map(len, lines)) <= 100
    marked = [line.split()[1] for line in lines if line.startswith("! ") and "null model" not in line]
    assert marked == ["BAS"]
    assert "a null model reaches 1 of 2 tested" in to_text(full())


def test_the_page_shows_every_number_and_the_warning_comes_first():
    page = Page(to_html(full()))
    for shown in ("0.2412", "0.2213 to 0.2627", "0.2371", "0.4321", "no reference set", "resampled to 60 fps", "2 takes were resampled"):
        assert shown in page.text
    assert page.text.index("A null model reaches these scores") < page.text.index("How to read it")
    assert page.tags.count("details") == 4 and page.tags.count("table") == 3
    assert "No null model reaches" in Page(to_html(full(results=full().results[1:2]))).text


def test_the_page_fetches_nothing_and_runs_nothing():
    text = to_html(full(title="see https://example.org"))
    page = Page(text)
    assert all(reference.startswith("#dialect-") for reference in page.references)
    assert not {"script", "link", "iframe", "object", "img", "form"} & set(page.tags)
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text


def test_names_cannot_do_harm():
    evil = full(
        title=EVIL, folder=EVIL, notes=(EVIL,), skipped=((EVIL, EVIL),), worst=(Worst(EVIL, EVIL, 1.0, EVIL, 1.0),),
        meanings={f"{EVIL}/{EVIL}": EVIL},
        clips=(standing_clip(EVIL),), beats={EVIL: np.array([0.5])},
        results=(Result(about(EVIL, EVIL, unit=EVIL, source=EVIL), 1.0, nulls=(NullScore(EVIL, 0, 1, 1.0, 0.5, True),), words=(EVIL,)),),
    )  # fmt: skip
    text = to_html(evil)
    page = Page(text)
    assert "script" not in page.tags and "alert('x')" in page.text
    assert not page.references
    for form in (text, to_text(evil), to_markdown(evil)):
        assert "\x1b" not in form
        form.encode("utf-8")
    assert not re.search(r"(?<!\\)[<\[`]", to_markdown(evil))
    json.dumps(to_json(evil), allow_nan=False).encode("utf-8")


EMPTY = Report("Nothing", "takes", ())


@pytest.mark.parametrize(
    "report",
    [
        EMPTY,
        full(features=None, phases=np.zeros(0), beats={}, motion_beats={}),
        full(clips=(standing_clip(frames=1),), takes=1, beats={"stand": np.zeros(0)}),
        full(clips=(Clip("stand", np.full((5, 24, 3), np.nan), 30.0),)),
        full(features=(np.ones((1, 3)), np.ones((1, 3))), phases=np.zeros(8)),
        full(features=(np.full((3, 2), np.nan), np.ones((2, 2)))),
        full(features=(np.arange(3.0)[:, None], np.arange(4.0)[:, None]), phases=np.array([5.0])),
    ],
    ids=["empty", "no sync, no reference", "one frame", "broken clip", "one take", "broken features", "one feature"],
)
def test_little_to_show_still_makes_a_report(report, tmp_path):
    write_report(report, tmp_path / "out", False)
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    Page(page)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', page)
    assert to_text(report).startswith(report.title)


def test_the_page_stays_small():
    rng = np.random.default_rng(0)
    clips = tuple(Clip(f"take {k}", rng.normal(size=(7200, 24, 3)), 120.0) for k in range(6))
    many = full(
        clips=clips, results=full().results * 30, worst=tuple(Worst(clip.name, "jerk", 1.0, "m/s^3", 0.5) for clip in clips) * 40,
        features=(rng.normal(size=(9000, 72)),) * 2,
        beats={clip.name: np.arange(0, 60, 0.5) for clip in clips},
    )  # fmt: skip
    assert len(to_html(many).encode()) < 1_500_000


# ------------------------------------------------------------------------------------------------------------------ files


def test_existing_files_need_force(tmp_path):
    files = write_report(full(), tmp_path / "a", False)
    assert [path.name for path in files] == ["evaluation.json", "evaluation.md", "evaluation.html"]
    assert json.loads(files[0].read_text())["title"] == "Takes"
    for refuse in (lambda: check_report(tmp_path / "a", False), lambda: write_report(EMPTY, tmp_path / "a", False)):
        with pytest.raises(ChoreiaError, match="--force"):
            refuse()
    write_report(EMPTY, tmp_path / "a", True)
    assert json.loads(files[0].read_text())["title"] == "Nothing"
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(path.name for path in files)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ChoreiaError, match="is a file"):
        check_report(tmp_path / "file", True)


def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch):
    before = {path: path.read_bytes() for path in write_report(full(), tmp_path / "old", False)}
    written = type(tmp_path).write_text

    def full_disk(path, text, **options):
        written(path, text[:100], **options)
        if path.suffix == ".html":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_text", full_disk)
    for folder in (tmp_path / "old", tmp_path / "new"):
        with pytest.raises(ChoreiaError, match=r"evaluation\.html: No space left"):
            write_report(EMPTY, folder, True)
    assert {path: path.read_bytes() for path in (tmp_path / "old").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_a_failed_drawing_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "to_html", lambda report: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(full(), tmp_path / "new", False)
    assert not (tmp_path / "new").exists()


def test_the_same_report_gives_the_same_bytes(tmp_path):
    first, second = (write_report(full(), tmp_path / name, False) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


# --------------------------------------------------------------------------------------------------------------- pictures


def numbers_of(drawing, tag, class_, attribute):
    elements = re.findall(rf"<{tag} [^>]*>", drawing)
    return [float(re.search(rf' {attribute}="([^"]*)"', found)[1]) for found in elements if f'class="{class_}"' in found]


def test_frames_map_data_to_pixels():
    frame = Frame(120, 80, (0, 10), (-1, 1), left=10, right=10, top=20, bottom=20)
    assert np.allclose(frame.across(np.array([0, 5, 10])), [10, 60, 110])
    assert np.allclose(frame.up(np.array([-1, 0, 1])), [60, 40, 20])


@pytest.mark.parametrize(("low", "high", "count", "expected"), [(0, 10, 5, [0, 2, 4, 6, 8, 10]), (-0.13, 0.13, 3, [-0.1, 0, 0.1])])
def test_ticks_are_round(low, high, count, expected):
    assert ticks(low, high, count).tolist() == expected


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [1e9, 1e9 + 1e-6], [-3.0, 2.0]])
def test_spans_are_never_empty(values):
    low, high = span(np.array(values))
    assert low < min(values) <= max(values) < high
    assert np.histogram(values, 24, (low, high))[0].sum() == len(values)


def test_a_scale_puts_marks_in_their_order():
    drawing = scale(Result(about(), 0.5, 0.4, 0.6, reference=0.9, nulls=(NullScore("n", 0.1, 0.05, 8.0, 0.0, False),)))
    (value,), (ring,) = (numbers_of(drawing, "circle", kind, "cx") for kind in ("value-mark", "null-ring"))
    reference = float(re.search(r'd="M([\d.]+)', drawing)[1])
    assert (reference - value) / (value - ring) == pytest.approx((0.9 - 0.5) / (0.5 - 0.1), abs=0.01)
    assert scale(Result(about(), 0.5)) == "" and scale(Result(about(), None, reference=1.0, low=0.0)) == ""


def test_speed_plots_show_the_first_seconds_with_beats_and_stops():
    clip = standing_clip(frames=1800, sway_m=0.3)
    drawing = speed(clip, np.arange(0, 60, 2.0), np.array([5.0, 15.0, 25.0]))
    beats = numbers_of(drawing, "line", "beat", "x1")
    assert len(beats) == 11 and np.allclose(np.diff(beats), (760 - 50) / 10, atol=0.11)
    assert np.allclose(numbers_of(drawing, "circle", "stop", "cx"), [40 + 710 / 4, 40 + 710 * 3 / 4], atol=0.1)


def test_phases_have_the_bin_of_the_beat_in_the_middle():
    drawing = phases(np.array([8, 1, 1, 2]))
    left, width, height = (numbers_of(drawing, "rect", "bar", name) for name in ("x", "width", "height"))
    assert height[2] == max(height) == pytest.approx(8 * height[0], rel=0.02)
    assert left[2] + width[2] / 2 == pytest.approx(numbers_of(drawing, "line", "beat", "x1")[0], abs=0.11)


def test_null_plots_put_score_and_nulls_on_one_scale_and_mark_the_one_that_reaches():
    low = NullScore("time shift", 0.2, 0.02, 5.0, 0.01, False)
    high = NullScore("pulse", 0.4, 0.05, -1.0, 0.9, True)
    drawing = against_nulls([Result(about(), 0.3, 0.25, 0.35, nulls=(low, high))])
    score, rings = numbers_of(drawing, "line", "score", "x1"), numbers_of(drawing, "circle", "null-ring", "cx")
    starts, ends = (numbers_of(drawing, "line", "null-bar", at) for at in ("x1", "x2"))
    assert rings[0] < score[0] and rings[1] > score[1]
    assert score[0] - rings[0] == pytest.approx(rings[1] - score[1], abs=0.2)  # 0.1 either way
    assert ends[1] - starts[1] == pytest.approx(2.5 * (ends[0] - starts[0]), rel=0.02)  # as the deviations
    shaded = numbers_of(drawing, "rect", "reached-cell", "x")
    assert len(shaded) == 1 and shaded[0] < rings[1] and drawing.count("\u26a0") == 1


def test_a_null_that_is_far_off_does_not_squeeze_the_others():
    near = [NullScore(f"near {k}", 0.2, 0.01, 5.0, 0.01, False) for k in range(4)]
    result = Result(about(), 0.3, 0.29, 0.31, nulls=(*near, NullScore("frozen", 6000.0, 1.0, 5.0, 0.01, False)))
    drawing = against_nulls([result])
    gap = numbers_of(drawing, "line", "score", "x1")[0] - numbers_of(drawing, "circle", "null-ring", "cx")[0]
    assert gap > 10 and drawing.count("\u203a") == 1


def test_an_ellipse_stays_inside_its_plot():
    drawing = cloud(np.random.default_rng(0).normal(size=(4, 3)), np.random.default_rng(1).normal(size=(5, 3)))
    x, y = np.array([pair.split(",") for points in re.findall(r'points="([^"]*)"', drawing) for pair in points.split()], float).T
    assert x.min() >= 0 and y.min() >= 0 and x.max() <= 460 and y.max() <= 360


@pytest.mark.parametrize(
    ("ends", "shown"),
    [((4.88e-7, 0.0127), "0 to 0.0127"), ((0.2365, 0.4734), "0.236 to 0.473"), ((-565.4, 703.6), "-565 to 704"), ((0, 0), "0 to 0"),
     ((8.1e-9, 5.82e-8), "8.1e-09 to 5.82e-08"), ((None, 1.0), "")],
)  # fmt: skip
def test_intervals_show_the_digits_that_their_width_supports(ends, shown):
    assert interval(Result(about(), 0.3, *ends)) == shown


def test_the_cloud_turns_the_widest_direction_of_the_reference_across():
    shared = np.linspace(-1, 1, 201)
    reference = np.stack([shared, shared, shared**2], axis=1)  # x and x² do not correlate here
    drawing = cloud(reference + np.array([9.0, 9.0, 0.0]), reference)
    made, theirs = (np.mean(numbers_of(drawing, "circle", f"{kind}-dot", "cx")) for kind in ("made", "reference"))
    up = [np.mean(numbers_of(drawing, "circle", f"{kind}-dot", "cy")) for kind in ("made", "reference")]
    assert abs(made - theirs) > 200 and up[0] == pytest.approx(up[1], abs=0.1)
    share = float(re.search(r"first component, (\d+)%", drawing)[1])
    assert share == 67


def test_an_ellipse_holds_95_percent():
    points = np.random.default_rng(1).normal(size=(4000, 2)) @ np.array([[2.0, 0.7], [0.0, 0.5]])
    outline = _ellipse(points) - points.mean(axis=0)
    inverse = np.linalg.inv(np.cov(points, rowvar=False))
    level = np.einsum("ni,ij,nj->n", outline, inverse, outline)
    distance = np.einsum("ni,ij,nj->n", points - points.mean(axis=0), inverse, points - points.mean(axis=0))
    assert np.ptp(level) < 1e-9 and np.mean(distance <= level[0]) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("heading", [0.0, 1.1, np.pi])
def test_stick_figures_of_a_t_pose_are_seen_from_the_front_with_the_left_hand_on_the_right(heading):
    clip = standing_clip()
    turn = np.array([[np.cos(heading), 0, np.sin(heading)], [0, 1, 0], [-np.sin(heading), 0, np.cos(heading)]])
    drawing = strip(Clip("t", clip.joints @ turn.T + np.array([3.0, 0, -2.0]), 30.0))
    assert "seen from the front" in drawing
    left, right = (numbers_of(drawing, "line", f"bone {side}", "x2") for side in ("left", "right"))
    assert max(left[: len(left) // 8]) > max(right[: len(right) // 8])
    assert drawing.count('class="head"') == 8


def test_stick_figures_that_step_ahead_are_seen_from_the_side_facing_right():
    places = standing_clip().joints.copy()
    places[:, :, 0] *= 0.1
    places[:, JOINTS.index("left_foot"), 2] += 1.0
    drawing = strip(Clip("kick", places, 30.0))
    assert "seen from the side" in drawing
    assert max(numbers_of(drawing, "line", "bone left", "x2")) > max(numbers_of(drawing, "line", "bone right", "x2"))


def test_stick_figures_float_above_the_floor_when_the_take_does():
    def gap(rise_m):
        clip = standing_clip()
        drawing = strip(Clip("t", clip.joints - [0, clip.joints[..., 1].min() - rise_m, 0], 30.0))
        lowest = max(numbers_of(drawing, "line", "bone left", "y2"))
        return numbers_of(drawing, "line", "floor", "y1")[0] - lowest

    assert gap(0.0) == pytest.approx(0, abs=0.15)
    assert gap(0.2) == pytest.approx(0.2 * 170 / 2.35, abs=0.2)
