"""Prompts over a song of two-second bars: what is danced when is worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from choreia.errors import ChoreiaError
from choreia.text.encode import Cached, Embedding, clip_encoder
from choreia.text.expand import expand
from choreia.text.lexicon import find, lexicon
from choreia.text.match import EmbeddingMatcher
from choreia.text.script import to_text
from choreia.types import Move, Script
from test_text_times import song


def moves(prompt: str, music=None, **options) -> list[tuple[float, float, str]]:
    return [(m.start_s, m.end_s, m.text) for m in expand(prompt, music or song(), **options).script.moves]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("bars 5-8: arm wave; bridge: running man", [(8, 16, "arm wave"), (64, 72, "running man")]),
        ("chorus 2: moonwalk", [(48, 64, "moonwalk")]),
        ("chorus: running man", [(24, 40, "running man"), (48, 64, "running man"), (72, 80, "running man")]),
        ("krump hard, stomp at 0:30 for 8 counts", [(30, 34, "stomp")]),
        ("stomp for 16 counts at 0:30", [(30, 38, "stomp")]),
        ("thumka x 4 at bar 9", [(16, 20, "thumka")]),
        ("in verse 1 do the smurf, then the reebok", [(8, 16, "smurf"), (16, 24, "reebok")]),
        ("verse 1: smurf, reebok", [(8, 12, "smurf"), (12, 16, "reebok"), (16, 20, "smurf"), (20, 24, "reebok")]),
        ("spin in the intro and jump in the bridge", [(0, 8, "disco spin"), (64, 72, "jump")]),
        ("verse = two step", [(8, 24, "two step"), (40, 48, "two step")]),
        ("intro, bridge: freeze", [(0, 8, "freeze"), (64, 72, "freeze")]),
        ("eight 3: counts 1-4 stomp, counts 5-8 jab", [(8, 10, "stomp"), (10, 12, "jab")]),
        ("first 8 counts: nod; next 8 counts: two step", [(0, 4, "head nod"), (4, 8, "two step")]),
        ("hit at 5s and 10s", [(5, 6, "hit"), (10, 11, "hit")]),
        ("stomp for 8 counts, then jab for 4 counts", [(0, 4, "stomp"), (4, 6, "jab")]),
        ("bars 1-2: grapevine to the left", [(0, 4, "grapevine, to the left")]),
        ("bars 1-2: body roll, slow", [(0, 4, "body roll, slow")]),
        ("1. bars 1-2: stomp\n2. bars 3-4: jab", [(0, 4, "stomp"), (4, 8, "jab")]),
        ("runing man in the brigde", [(64, 72, "running man")]),
        ("stomp at beat 9", [(4, 4.5, "stomp")]),
        ("waltz; bars 1-2: step to the left", [(0, 4, "box step, to the left")]),
        ("tap; steps in the bridge", [(64, 72, "time step")]),
        ("krump; bars 1-2: heavy bounce; bars 3-4: bouncy", [(0, 4, "krump bounce, heavy"), (4, 8, "bouncy")]),
        ("jazz; kick in the bridge", [(64, 72, "high kick")]),
        ("disco; bars 1-2: locking point; bars 3-4: point", [(0, 4, "point lock"), (4, 8, "disco point")]),
        ("bars 1-4: stomp; everywhere else: glide", [(0, 8, "stomp"), (8, 80, "glide")]),
    ],
)
def test_moves_with_times_stand_there(prompt, expected):
    assert moves(prompt) == expected


def test_what_comes_then_follows_what_was_before():
    found = moves("do the running man in every chorus then wave your arms")
    assert found == [
        (24, 40, "running man"),
        (40, 48, "arm wave"),
        (48, 64, "running man"),
        (64, 72, "arm wave"),
        (72, 80, "running man"),
    ]
    assert moves("start with a bow, then glide, then end with a curtsy") == [(0, 4, "namaste bow"), (4, 76, "glide"), (76, 80, "curtsy")]


def test_the_closer_time_goes_before_and_says_so():
    found = expand("bars 13-16: arm wave; chorus: running man; whole song: two step", song())
    assert [(m.start_s, m.end_s, m.text) for m in found.script.moves][:4] == [
        (0, 24, "two step"),
        (24, 32, "arm wave"),
        (32, 40, "running man"),
        (40, 48, "two step"),
    ]
    assert len(found.warnings) == 1 and "'bars 13-16' (arm wave) and 'chorus' (running man) overlap" in found.warnings[0]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        (" \n ... ", "empty"),
        ("spin " * 10_000, "10000 words and 50000 letters"),
        ("x" * 20_000, "1 words and 20000 letters"),
        (
            "bars 9-12: arm wave; bars 11-14: stomp",
            r"'bars 9-12' \(arm wave\) and 'bars 11-14' \(stomp\) overlap from 0:20.0 to 0:24.0: move",
        ),
        ("chorus: spin; chorus: stomp", "overlap"),
        ("bars 90-94: spin", "past the end"),
        ("chorus 5: spin", "this song has 3 of chorus"),
        ("kazoo part: spin", r"'kazoo part' is no time, section or style: this song has intro, verse \(2 times\)"),
        ("bars 1-2: stomp for 64 counts", "lasts 4.0 s"),
        ("Dance style characteristics: x\nDance movement sequence:\n- 00:01:00.000 - 00:02:00.000: y", "past the end of the song"),
    ],
)
def test_a_prompt_that_cannot_be_danced_is_one_line(prompt, words):
    with pytest.raises(ChoreiaError, match=words) as caught:
        expand(prompt, song())
    assert "\n" not in str(caught.value)


def test_the_global_text_holds_style_range_and_manner():
    style = expand("popping, very sharp, small range", song()).script.style
    assert style.startswith("popping, small moving range, sharp, hits and freezes")
    waltz = expand("a gentle waltz", song())
    assert waltz.script.style.startswith("waltz, calm,") and waltz.script.moves == ()


def test_without_a_style_it_is_that_of_the_moves_and_said_so():
    found = expand("bars 1-4: stomp, jab and arm swing", song())
    assert found.script.style.startswith("krump, explosive")
    assert any("taken for krump" in note for note in found.notes)


def test_unknown_words_are_told_with_the_nearest_and_kept():
    found = expand("popping; bars 1-2: flibberjabber; zimzam steps", song())
    assert found.script.moves == (Move(0.0, 4.0, "flibberjabber"),)
    assert len(found.warnings) == 2 and all("nearest" in line for line in found.warnings)
    assert "zimzam" in found.script.style


def test_a_move_of_another_style_is_named_so_that_it_is_found_again():
    for prompt, figure in (("salsa; bars 1-2: charleston suzy q", "charleston/suzy q"), ("tap; bars 1-2: krump stomp", "krump/stomp")):
        (move,) = expand(prompt, song()).script.moves
        assert find(move.text, prompt.partition(";")[0]).figure == figure


def test_a_manner_without_a_time_is_no_move():
    found = expand("hip-hop with a heavy bounce and small steps", song()).script
    assert found.moves == () and found.style.startswith("hip-hop, small moving range, heavy, bouncy")


def test_what_is_refused_is_not_danced():
    found = expand("popping; no arm waves; bars 1-4: arm wave and tutting", song())
    assert [m.text for m in found.script.moves] == ["tutting"]
    assert any(note.startswith("arm wave: not placed") for note in found.notes)


@pytest.mark.parametrize("seed", range(4))
def test_moves_without_times_stand_on_8_counts_and_return_with_their_section(seed):
    music = song()
    found = expand("locking with points, wrist twirls and scooby doo", music, seed=seed).script.moves
    assert {m.text for m in found} == {"point", "wrist twirl", "scooby doo"}
    for move in found:
        assert move.start_s % 4 == 0 and move.end_s % 4 == 0
    first, second = (music.sections[i] for i in (2, 4))
    danced = [[(m.start_s - s.start_s, m.text) for m in found if s.start_s <= m.start_s < s.end_s] for s in (first, second)]
    assert danced[0] == danced[1]


def test_the_seed_draws_the_places():
    prompt = "hip-hop with smurf, reebok, two step, harlem shake and heel toe"
    assert moves(prompt, seed=1) == moves(prompt, seed=1)
    assert len({str(moves(prompt, seed=seed)) for seed in range(5)}) > 1


def test_a_sequence_without_times_runs_through_the_song():
    found = moves("first the twist, then the mashed potato")
    assert [text for _, _, text in found] == ["twist", "mashed potato"]
    assert found[0][0] == 0 and found[0][1] == found[1][0] == 40 and found[1][1] == 80


@pytest.mark.parametrize(
    "prompt",
    [
        "spin, jump, stomp then glide; chorus: tutting and robot; last 8 bars: go crazy; bars 3-4: smurf",
        "in bars 1 to 3 stomp, jab, smash, buck hop and arm swing, then point in the bridge",
        "every 4th bar: freeze; verse: two step; throughout: groove",
    ],
)
def test_moves_never_overlap_nor_leave_the_song(prompt):
    for music in (song(), song(bpm=97.3), song(bpm=180, meter=3)):
        found = expand(prompt, music).script.moves
        assert all(0 <= m.start_s < m.end_s <= music.duration_s for m in found)
        assert all(a.end_s <= b.start_s + 0.0011 for a, b in pairwise(found))


def test_music_without_a_beat_is_danced_in_seconds():
    still = song(beat=False)
    assert moves("chorus 2: moonwalk", still) == [(48, 64, "moonwalk")]
    assert {text for _, _, text in moves("popping with tutting and glides", still)} == {"tutting", "glide"}
    with pytest.raises(ChoreiaError, match="no beat was found"):
        expand("bars 1-4: moonwalk", still)


def test_a_script_is_a_prompt_too():
    script = Script("waltz, light", (Move(1.0, 2.5, "box step"), Move(2.5, 4.0, "spin, jump")))
    assert expand(to_text(script), song()).script == script


WORDS = sorted({word for term in lexicon().terms for word in " ".join([term.name, term.text, *term.synonyms]).split()})


def bag(texts) -> np.ndarray:
    """Counts of the lexicon's words and 1e-9, an encoder whose cosines can be checked by counting."""
    return np.array([[*(text.split().count(word) for word in WORDS), 1e-9] for text in texts])


def test_a_matcher_finds_by_meaning_what_has_no_known_name():
    matcher = EmbeddingMatcher(Cached(Embedding("words", len(WORDS) + 1, bag)))
    prompt = "bars 1-2: forearms roll round each other in front of the chest"
    assert matcher.match("forearms roll round each other in front of the chest")[0].name == "arm roll"
    assert matcher.match("zzz") is None
    found = expand("bars 1-2: forearms round each other before the chest", song(), matcher=matcher)
    assert found.script.moves[0].text == "arm roll" and any("by meaning" in note for note in found.notes)
    assert "arm roll" not in {m.text for m in expand(prompt, song()).script.moves}


def test_encoders_give_unit_vectors_and_the_cache_asks_once():
    asked: list[str] = []

    def embed(texts):
        asked.extend(texts)
        return np.array([[len(text), 1.0] for text in texts])

    encoder = Cached(Embedding("lengths", 2, embed), most=2)
    vectors = encoder.encode(["abc", "b", "abc"])
    assert vectors.shape == (3, 2) and vectors.dtype == np.float32
    assert np.allclose(vectors[0], [3 / np.sqrt(10), 1 / np.sqrt(10)]) and np.array_equal(vectors[0], vectors[2])
    assert asked == ["abc", "b"] and encoder.encode([]).shape == (0, 2)
    assert np.array_equal(encoder.encode(["c", "abc", "b"])[1:], vectors[:2]) and asked == ["abc", "b", "c"]
    encoder.encode(["b", "c"])
    assert asked == ["abc", "b", "c", "c"]


def test_an_encoder_that_does_not_keep_its_word_is_told():
    for embed in (lambda texts: np.zeros((1, 3)), lambda texts: np.full((len(texts), 2), np.nan)):
        with pytest.raises(ChoreiaError, match="encoder bad gave"):
            Embedding("bad", 2, embed).encode(["a", "b"])
    with pytest.raises(ChoreiaError, match="list of texts"):
        Embedding("bad", 2, lambda texts: np.zeros((len(texts), 2))).encode("abc")


def test_the_trained_encoder_fits():
    from choreia.models.textmotion.model import load

    model = load()
    encoder = Cached(Embedding(model.name, model.config.dim, model.embed_texts))
    vectors = encoder.encode(["arm wave", "box step"])
    assert vectors.shape == (2, model.config.dim) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_clip_without_its_files_says_what_to_do(tmp_path):
    with pytest.raises(ChoreiaError, match="holds no CLIP model"):
        clip_encoder(tmp_path)
