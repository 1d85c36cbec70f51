"""The lexicon agrees with itself and with the choreographer; words are found however they are written."""

from collections import Counter

import numpy as np
import pytest

from choreia.synth.moves import STYLES
from choreia.text.lexicon import find, lexicon, nearest, respelt, style_named
from choreia.text.match import read
from choreia.text.words import Spellings, distance, form, normal, stems

LEXICON = lexicon()
FIGURES = {f"{style.name}/{figure.name}" for style in STYLES.values() for figure in style.figures}


def test_it_is_as_large_as_it_says():
    assert len(LEXICON.terms) >= 150
    assert 30 <= len(LEXICON.families) <= 40
    for style in LEXICON.styles:
        assert sum(style.name in term.styles for term in LEXICON.terms) >= 8, style.name


def test_no_name_or_synonym_stands_twice_in_a_style():
    for style in LEXICON.styles:
        names = Counter(form(name) for term in LEXICON.terms if style.name in term.styles for name in (term.name, *term.synonyms))
        assert [name for name, count in names.items() if count > 1] == []
    others = Counter(form(name) for entry in (*LEXICON.styles, *LEXICON.manners) for name in (entry.name, *entry.synonyms))
    assert not {name for name, count in others.items() if count > 1}


def test_styles_and_families_are_known_and_used():
    known = {style.name for style in LEXICON.styles}
    assert all(term.styles and set(term.styles) <= known for term in LEXICON.terms)
    assert {term.family for term in LEXICON.terms} == set(LEXICON.families)
    assert all(term.figure.split("/")[0] in known and 1 <= term.counts <= 8 and " " in term.text for term in LEXICON.terms)


def test_every_figure_of_a_term_is_one_of_the_choreographer():
    assert {term.figure for term in LEXICON.terms} <= FIGURES


def test_every_figure_of_the_choreographer_can_be_called_by_its_name():
    for figure in sorted(FIGURES):
        style, name = figure.split("/")
        term = find(name, style)
        assert term is not None and term.figure == figure, figure


def test_styles_read_as_the_choreographer_writes_them():
    assert {style.name: style.text for style in LEXICON.styles} == {style.name: style.text for style in STYLES.values()}
    assert all(style_named(style.text) == style.name for style in STYLES.values())


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("arm wave", "arm wave"),
        ("Wave your arms", "arm wave"),
        ("waving arms", "arm wave"),
        ("ARM-WAVES", "arm wave"),
        ("Pas de Bourrée", "pas de bourrée"),
        ("pas de bourree", "pas de bourrée"),
        ("bee’s knees", "bee's knees"),
        ("step torch", "step touch"),
        ("walkout", "walk-out"),
        ("the robot", "robot turn"),
        ("stomping", "stomp"),
        ("stompin'", "stomp"),
        ("chain turns", "pirouette"),
    ],
)
def test_a_move_is_found_however_it_is_written(phrase, name):
    term = find(phrase)
    assert term is not None and term.name == name


def test_a_name_that_styles_share_goes_by_the_style():
    assert find("suzy q", "salsa").figure == "salsa/suzy q"
    assert find("suzy q", "charleston").figure == "charleston/suzy q"
    assert find("photosynthesis") is None


@pytest.mark.parametrize(
    ("word", "by_style"),
    [
        ("kick", {None: "kick step", "popping": "kick step", "jazz": "high kick", "charleston": "charleston kick step"}),
        ("spin", {None: "disco spin", "disco": "disco spin", "waltz": "spin turn", "tap": "paddle turn", "bollywood": "kathak spin"}),
        ("turn", {"salsa": "right turn", "waltz": "natural turn", "jazz": "pivot turn"}),
        ("point", {None: "point", "locking": "point", "disco": "disco point"}),
        ("roll", {None: "body roll", "disco": "arm roll", "salsa": "hip roll", "tap": "cramp roll"}),
        ("shuffle", {None: "shuffle ball change", "tap": "shuffle ball change", "hip-hop": "running man"}),
        ("basic", {"salsa": "salsa basic", "waltz": "box step", "charleston": "charleston basic", "tap": "time step"}),
        ("pose", {None: "freeze", "bollywood": "filmi pose"}),
        ("plié", {None: "up down groove"}),
        ("jump", {None: "jump", "waltz": "jump"}),
    ],
)
def test_a_bare_word_is_what_a_dancer_of_the_style_means(word, by_style):
    for style, name in by_style.items():
        for written in (word, word.upper(), f"the {word}s"):
            assert find(written, style).name == name, (written, style)


def test_bare_words_lead_to_moves_and_these_to_themselves():
    """Whatever a bare word means in a style is found again by its name, and is one of the style's own or what others mean too."""
    names = {style.name for style in LEXICON.styles}
    for row in LEXICON.bare:
        assert set(row.styles) <= names and row.any not in row.styles.values()
        for word in row.words:
            for style in (None, *names):
                found = find(word, style)
                assert found.name == row.styles.get(style, row.any) and find(found.name, style) == found
    words = Counter(stems(word) for row in LEXICON.bare for word in row.words)
    assert [word for word, count in words.items() if count > 1] == []


def test_a_style_keeps_the_moves_that_it_names_itself():
    assert [term.name for term in LEXICON.terms for style in term.styles if find(term.name, style) != term] == []


@pytest.mark.parametrize(
    ("word", "known"), [("mooonwalk", "moonwalk"), ("runing man", "running man"), ("cabbage pacth", "cabbage patch"), ("xyz", None)]
)
def test_a_slip_of_the_fingers_is_forgiven_and_not_more(word, known):
    assert respelt(word) == known


def test_the_nearest_moves_are_those_spelt_alike():
    assert nearest("stomb")[0].name == "stomp"
    assert nearest("grapewine", 1)[0].name == "grapevine"
    assert len(nearest("anything", 5)) == 5


def test_distance_counts_slips():
    cases = {
        ("kick", "kick"): 0,
        ("kick", "kcik"): 1,
        ("kick", "kik"): 1,
        ("kick", "kicks"): 1,
        ("kick", "sick"): 1,
        ("kitten", "sitting"): 3,
    }
    for (a, b), slips in cases.items():
        assert distance(a, b, 5) == distance(b, a, 5) == slips
    assert distance("short", "entirely other", 2) == 3
    assert distance("", "abc", 9) == distance("abc", "", 9) == 3 and distance("", "", 9) == 0


def by_definition(a: str, b: str) -> int:
    """Damerau's distance with adjacent swaps, as its recurrence is written."""
    if not a or not b:
        return len(a) + len(b)
    ways = [by_definition(a[1:], b) + 1, by_definition(a, b[1:]) + 1, by_definition(a[1:], b[1:]) + (a[0] != b[0])]
    return min([*ways, by_definition(a[2:], b[2:]) + 1] if a[1:2] == b[0] and b[1:2] == a[0] else ways)


def test_distances_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), rng.integers(1, 7))) for _ in range(25)]
    spellings = Spellings([*words, "c" * 64])
    for word in words[:12]:
        expected = [by_definition(word, other) for other in words]
        assert spellings.distances(word).tolist() == [*expected, 64 - word.count("c")]
        assert [distance(word, other, 9) for other in words] == expected


def test_normal_text_keeps_lines_and_loses_what_cannot_be_printed():
    assert normal("Bars\u00a09–12\n\u200bÉté\x00 ") == "bars 9-12\nete"


@pytest.mark.parametrize(("said", "meant"), [("cramop roll", "cramp roll"), ("jazz sqare", "jazz square"), ("head rol", "head roll")])
def test_a_slip_in_a_name_whose_other_word_is_a_name_too(said, meant):
    (hit,) = read(said.split())
    assert hit.entry.name == meant and hit.note == f"{said!r} read as {meant!r}"


def test_longest_names_win_and_the_rest_is_told():
    hits = read(["a", "salsa", "basic", "and", "flibberjabber", "with", "jazz", "hands"])
    assert [(hit.words, hit.entry and hit.entry.name) for hit in hits] == [
        ("salsa basic", "salsa basic"),
        ("flibberjabber", None),
        ("jazz hands", "jazz hands"),
    ]
