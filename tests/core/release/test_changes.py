"""What changed between two versions, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.core.release.changes import ABSENT, Change, Ingredients, changes, compare_link, flat, web_page

THEN = {
    "name": "m",
    "scope": {"goal": "Say it.", "owner": None},
    "data": {"columns": {"a": {"type": "int"}, "b": {"type": "float", "min": 0}}},
    "search": {"metric": "roc_auc", "trials": 10, "prefer": "best"},
    "gates": {"thresholds": {"roc_auc": 0.7}, "approval": {"number": 1, "approvers": ["ben", "cleo"]}},
}
NOW = {
    "name": "m",
    "scope": {"goal": "Say it.", "owner": "us"},
    "data": {"columns": {"a": {"type": "int"}, "c": {"type": "int", "unique": True}}},
    "search": {"metric": "roc_auc", "trials": 20, "prefer": "best"},
    "gates": {"thresholds": {"roc_auc": 0.01}},
}


def test_a_declaration_is_told_line_by_line_in_the_order_of_the_file() -> None:
    found = changes(Ingredients(THEN), Ingredients(NOW)).declaration
    assert [(each.what, each.before, each.now) for each in found] == [
        ("scope.owner", ABSENT, "us"),
        ("data.columns.b.type", "float", ABSENT),
        ("data.columns.b.min", "0", ABSENT),
        ("data.columns.c.type", ABSENT, "int"),
        ("data.columns.c.unique", ABSENT, "yes"),
        ("search.trials", "10", "20"),
        ("gates.thresholds.roc_auc", "0.7", "0.01"),
        ("gates.approval.number", "1", ABSENT),
        ("gates.approval.approvers", "ben, cleo", ABSENT),
    ]
    assert [each.kind for each in found[:2]] == ["added", "removed"]


def test_data_code_and_packages_are_told_where_they_differ() -> None:
    then = Ingredients(
        data={"source": "a.csv", "rows": "10"}, packages=["numpy==1.0", "Pandas==2", "lightgbm"], commit="a" * 40
    )
    now = Ingredients(
        data={"source": "a.csv", "rows": "12"}, packages=["numpy==2.0", "pandas==2", "skops==1"], commit="b" * 40
    )
    found = changes(then, now)
    assert found.data == (Change("rows", "10", "12"),)
    assert found.code == (Change("commit", "a" * 12, "b" * 12),)
    assert found.packages == (
        Change("lightgbm", "lightgbm", ABSENT),
        Change("numpy", "1.0", "2.0"),
        Change("skops", ABSENT, "1"),
    )
    assert found and found.as_dict()["packages"][2]["kind"] == "added" and not changes(now, now)


@pytest.mark.parametrize(
    ("remote", "link"),
    [
        ("git@github.com:ships/yard.git", "https://github.com/ships/yard/compare/aaaaaaa...bbbbbbb"),
        ("https://ana:secret@github.com/ships/yard", "https://github.com/ships/yard/compare/aaaaaaa...bbbbbbb"),
        ("ssh://git@gitlab.team.net:2222/a/b/c.git", "https://gitlab.team.net/a/b/c/-/compare/aaaaaaa...bbbbbbb"),
        ("https://gitlab.team.net:8443/a/b", "https://gitlab.team.net:8443/a/b/-/compare/aaaaaaa...bbbbbbb"),
        ("https://bitbucket.org/a/b.git", "https://bitbucket.org/a/b/branches/compare/bbbbbbb%0Daaaaaaa"),
        ("https://git.team.net/a/b", ""),
        ("/srv/git/yard.git", ""),
        ("../yard", ""),
        ("file:///srv/github.com/yard", ""),
        ("javascript://github.com/%0Aalert(1)", ""),
        ("https://github.com", ""),
        ("https://github.com:nonsense/a/b", "https://github.com/a/b/compare/aaaaaaa...bbbbbbb"),
        ("", ""),
    ],
)
def test_commits_are_a_link_where_the_host_is_known(remote: str, link: str) -> None:
    assert compare_link(remote, "a" * 7, "b" * 7) == link
    assert compare_link(remote, "a" * 7, "a" * 7) == compare_link(remote, "", "b" * 7) == ""


def test_a_commit_that_is_none_is_no_part_of_a_link() -> None:
    assert compare_link("https://github.com/a/b", "a" * 7, 'b"><script>') == ""
    assert " " not in web_page("https://github.com/a b/<c>") and "<" not in web_page("https://github.com/a b/<c>")


def test_lists_of_sections_have_places_and_long_values_are_cut() -> None:
    assert flat({"a": [{"b": 1}, {"b": [1, 2]}], "c": []}) == {"a.1.b": "1", "a.2.b": "1, 2"}
    assert len(flat({"a": "x" * 5000})["a"]) < 300


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
)


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), values, min_size=1),
    st.dictionaries(st.text("abc", min_size=1, max_size=2), values, min_size=1),
)
def test_every_line_that_differs_is_told_once_and_no_other(then: dict[str, object], now: dict[str, object]) -> None:
    found = changes(Ingredients(then), Ingredients(now)).declaration
    before, after = flat(then), flat(now)
    differ = {key for key in before.keys() | after.keys() if (before.get(key) or ABSENT) != (after.get(key) or ABSENT)}
    assert sorted(each.what for each in found) == (sorted(differ) if before and after else [])
    assert not changes(Ingredients(now), Ingredients(now))


def test_of_what_is_not_recorded_of_both_nothing_is_said() -> None:
    found = changes(Ingredients(THEN, {"rows": "10"}, packages=["numpy==1"]), Ingredients(NOW))
    assert (found.data, found.packages, found.unknown) == ((), (), ("data", "packages"))
    assert found.declaration and found.as_dict()["unknown"] == ["data", "packages"]
