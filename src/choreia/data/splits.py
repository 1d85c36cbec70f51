"""Which real takes train, which validate and which are held out for tests: a fixed table, by phrase and by subject.

Takes of one phrase are near copies of each other, and CMU's subjects 60 and 61 are one couple dancing together, so a phrase is never
on two sides. Dancers with several dances are on both sides with different phrases; everybody else is wholly on one. About 15 % of the
dance is held out for tests and 6 % for validation, with every tradition among the test takes.
"""

from __future__ import annotations

import re

SPLITS = ("train", "val", "test")

# Takes that share a phrase although their descriptions differ.
_SAME_PHRASE = (("05_03", "05_04"), ("05_18", "05_19", "05_20"), ("49_10", "49_11", "49_13"))

_DESCRIBED = ("05", "49")  # dancers whose takes' descriptions name the phrase
_SEVERAL = ("94", "gs", "B", "J", "M")  # performers whose every take is a phrase of its own

_TEST = frozenset(
    (
        *("05_14", "05_15", "05_18", "05_19", "05_20", "49_12", "49_14", "49_17", "94_13"),  # ballet, contemporary, Indian
        *("60_10", "61_10", "60_12", "61_12"),  # salsa
        *("J_Dance8_WestCoast", "J_Dance18_TikTok", "J_Dance3_Woah", "B_WiggleDance", "M_Move5", "B_SpinKarate"),
    )
)
_VAL = frozenset(("05_09", "05_10", "94_07", "60_05", "61_05", "J_Dance20_DWG", "M_Move2"))
_TEST_SUBJECTS = frozenset(("12", "26", "27", "39", "55", "127"))
_VAL_SUBJECTS = frozenset(("07", "38", "43"))


def phrase(subject: str, take: str, text: str) -> str:
    """Name of the phrase that a take performs: takes with equal names must stay together.

    Args:
        subject: performer, as in the index ("05", "J").
        take: name of the take ("05_19", "J_Dance2_Salsa").
        text: what the take is described as.
    """
    if subject in ("60", "61"):
        return f"couple_{take.split('_')[1]}"
    for group in _SAME_PHRASE:
        if take in group:
            return f"phrase_{group[0]}"
    if subject in _DESCRIBED:
        return f"{subject}_{re.sub('[^a-z0-9]+', '-', text.lower()).strip('-')}"
    return f"take_{take}" if subject in _SEVERAL else f"subject_{subject}"


def split(subject: str, take: str) -> str:
    """"train", "val" or "test" of a take."""
    if take in _TEST or subject in _TEST_SUBJECTS:
        return "test"
    return "val" if take in _VAL or subject in _VAL_SUBJECTS else "train"
