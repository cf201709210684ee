"""Names that look alike by Unicode TR39, names that do not, and characters that nobody sees."""

import pytest

from slipway.core.lookalikes import begins_like, ends_like, is_blank, same_spelling, skeleton, unseen

STANDS = "flight_delays"
ALIKE = {
    "capital I": "flight_deIays",
    "digit 1": "flight_de1ays",
    "bar": "f|ight_delays",
    "Cyrillic a": "flight_del\u0430ys",
    "Cyrillic i": "fl\u0456ght_delays",
    "full width": "ｆｌｉｇｈｔ_delays",
    "mathematical": "𝐟light_delays",
    "ligature": "ﬂight_delays",
    "dotless i": "fl\u0131ght_delays",
    "zero width": "flight\u200b_delays",
    "joiner": "flight\u200d_delays",
    "soft hyphen": "flight_de\u00adlays",
    "grapheme joiner": "flight\u034f_delays",
    "variation selector": "flight\ufe0f_delays",
    "Hangul filler": "flight_delays\u3164",
    "right to left": "\u202eflight_delays",
    "capitals": "FLIGHT_DELAYS",
    "one capital": "Flight_delays",
    "blanks": " flight_delays",
    "Armenian and Cyrillic": "fl\u0456\u0261ht_delay\u0455",
}
NOT_ALIKE = [
    "flight_delay",
    "flight-delays",
    "flight_delays_2",
    "flight_delàys",
    "fright_delays",
    "flight delays",
    "航班",
]


@pytest.mark.parametrize("how", ALIKE)
def test_names_that_look_the_same_have_a_key_in_common(how: str) -> None:
    assert same_spelling(ALIKE[how], ["another", STANDS]) == STANDS


@pytest.mark.parametrize("name", NOT_ALIKE)
def test_names_that_look_different_have_none(name: str) -> None:
    assert same_spelling(name, [STANDS]) is None


def test_a_name_is_not_like_itself_and_marks_count_however_they_are_composed() -> None:
    assert same_spelling(STANDS, [STANDS]) is None
    assert same_spelling("Ausfälle", ["Ausfa\u0308lle"]) == "Ausfa\u0308lle"
    assert same_spelling("Ausfälle", ["Ausfalle"]) is None


def test_where_case_counts_only_what_looks_the_same_as_it_stands_is_alike() -> None:
    assert same_spelling("Churn", ["churn"], case=True) is None
    assert same_spelling("flight_deIays", [STANDS], case=True) == STANDS


@pytest.mark.parametrize(
    "key", ["slipway.author", "ѕlipway.author", "SLIPWAY.x", "s1ipway.x", "slip\u200bway․x", "sⅼipway．x"]
)
def test_a_tag_that_looks_like_ours_begins_like_ours(key: str) -> None:
    assert begins_like(key, "slipway.")


@pytest.mark.parametrize("key", ["slipways.x", "slip.way.x", "mine.slipway.x", "slipway"])
def test_another_tag_does_not(key: str) -> None:
    assert not begins_like(key, "slipway.")


def test_an_ending_is_compared_as_a_beginning_is() -> None:
    assert ends_like("flights/рromotions\u200b", "/promotions") and not ends_like("flights/demotions", "/promotions")


def test_a_skeleton_has_itself_for_a_skeleton() -> None:
    for name in [*ALIKE.values(), *NOT_ALIKE, "modem", "æœ", "рейсы", "ÅΩİ"]:
        assert skeleton(skeleton(name)) == skeleton(name), name


@pytest.mark.parametrize(
    ("name", "character"),
    [
        ("churn\u200b", "U+200B"),
        ("ch\u00adurn", "U+00AD"),
        ("churn\ufe0f", "U+FE0F"),
        ("ch\u200durn", "U+200D"),
        ("churn\u2800", "U+2800"),
        ("churn\u00a0eu", "U+00A0"),
        ("churn\n", "U+000A"),
        ("\u202echurn", "U+202E"),
        ("churn\ue000", "U+E000"),
    ],
)
def test_a_character_that_nobody_sees_is_named(name: str, character: str) -> None:
    assert unseen(name) == character


@pytest.mark.parametrize(
    "name",
    [
        "churn",
        "Kündigungen 2026",
        "解約",
        "отток",
        "إلغاء",
        "می\u200cخواهم",
        "क्\u200dष",
        "⚠\ufe0f risky",
        "👩\u200d🚀 crew",
        "a_b-c.d/e",
    ],
)
def test_what_people_write_is_seen(name: str) -> None:
    assert unseen(name) == ""


def test_a_text_of_which_nobody_sees_anything_is_blank() -> None:
    assert is_blank("") and is_blank(" \n\u200b\u2060\u3164\u202e\u00a0")
    assert not is_blank("\u200bok") and not is_blank("👩\u200d🚀")
