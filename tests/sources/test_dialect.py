import random
from typing import Any

import pytest

from slipway.sources._cells import NumberForm, number_form
from slipway.sources.dialect import SAMPLE_BYTES, Dialect, found
from slipway.types import MISSING_IN_CSV

random.seed(3)
NAMES = ["Zürich", "Genève", "Łódź", "Bern"]
PLAIN = "id,price,city\n" + "".join(f"{i},{i}.5,town {i % 3}\n" for i in range(20))
COMMAS = "id;price;city\n" + "".join(f"{i};{i},25;town {i % 3}\n" for i in range(20))
PROSE = "id,text\n" + "".join(f'{i},"well, it came; late, or not | at all"\n' for i in range(20))
RUSSIAN = "номер;город\n" + "".join(f"{i};Москва и область\n" for i in range(30))

SAMPLES: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "plain": (PLAIN, {}),
    "decimal commas": (COMMAS, {"sep": ";", "decimal": ","}),
    "tabs": (PLAIN.replace(",", "\t"), {"sep": "\t"}),
    "bars": (PLAIN.replace(",", "|"), {"sep": "|"}),
    "blanks": ("a b c\n" + "1 2.5 x\n2 3.5 y\n" * 9, {"sep": " "}),
    "CRLF": (PLAIN.replace("\n", "\r\n"), {}),
    "old Mac line ends": (PLAIN.replace("\n", "\r"), {}),
    "prose with every separator in quotes": (PROSE, {}),
    "prose with commas, cut by semicolons": ("id;text\n" + "".join(f"{i};yes, it came\n" for i in range(20)), {"sep": ";"}),
    "times with blanks": ("at;n\n" + "2024-01-31 10:20:30;5\n" * 9, {"sep": ";"}),
    "German times and numbers": (
        "Datum;Betrag;Ort\n" + "31.01.2024;1.234,50;Ulm\n24.12.2024;12,00;Köln\n" * 9,
        {"sep": ";", "decimal": ",", "thousands": "."},
    ),
    "Swiss thousands": ("a;b\n" + "1'234.5;x\n12.25;y\n" * 9, {"sep": ";", "thousands": "'"}),
    "French thousands": ("a;b\n" + "1\u202f234,5;x\n12,25;y\n" * 9, {"sep": ";", "decimal": ",", "thousands": "\u202f"}),
    "American thousands": ('a,b\n' + '"1,234.50",x\n"12.25",y\n' * 9, {"thousands": ","}),
    "whole American thousands": ('a,b\n' + '"1,234",x\n"1,912",y\n' * 9, {"thousands": ","}),
    "three decimals in a file of semicolons": ("a;b\n" + "1,234;x\n1,912;y\n" * 9, {"sep": ";", "decimal": ","}),
    "no header": ("1,2.5,x\n2,3.5,y\n" * 9, {"header": False}),
    "no header, words too": ("red,1\nblue,2\nred,3\nblue,4\n" * 5, {"header": False}),
    "words alone with a header": ("colour,size\nred,big\nblue,small\n" + "red,small\n" * 9, {}),
    "years as names": ("country,1990,1991,1992\n" + "Peru,1,2,3\nChad,4,5,6\n" * 9, {}),
    "a header cell that is empty": (",a,b\n" + "".join(f"{i},{i}.5,x\n" for i in range(9)), {}),
    "row names of R": ("a b c\n".replace(" ", ",") + "".join(f'"{i}",{i}.5,x,{i}\n' for i in range(9)), {}),
    "separators at the end of rows": ("a,b,c\n" + "1,2.5,x,\n2,3.5,y,\n" * 9, {}),
    "a title above": ("Sales of 2024\n\n" + PLAIN, {"header": 3}),
    "notes above": ("# made by us\n# on Monday\n# see there\n" + COMMAS, {"sep": ";", "decimal": ",", "header": 4}),
    "an instruction for Excel above": ("sep=;\n" + COMMAS, {"sep": ";", "decimal": ",", "header": 2}),
    "one column": ("a\n1\n2\n3\n", {}),
    "one column of words": ("name\nred and blue\ngreen\nred, or so\n", {}),
    "one line": ("a,b\n", {}),
    "nothing": ("", {}),
    "marks among numbers": ("a,b\n" + "1,x\n#N/A,y\n3,-\n4,x\n5,x\n6,x\n" * 9, {"nulls": (*MISSING_IN_CSV, "#N/A")}),
    "marks that are words of a category": ("a,b\n" + "1,-\n2,x\n3,-\n" * 9, {}),
    "a mark of UTF-8": (b"\xef\xbb\xbf" + PLAIN.encode(), {"encoding": "utf-8-sig"}),
    "UTF-16 of Excel": (COMMAS.replace(";", "\t").encode("utf-16"), {"sep": "\t", "decimal": ",", "encoding": "utf-16"}),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "Latin letters of Windows": (PLAIN.replace("town", "Köln €").encode("cp1252"), {"encoding": "cp1252"}),
    "Latin-1": (PLAIN.replace("town", "Köln \x81").encode("latin-1"), {"encoding": "latin-1"}),
    "Cyrillic letters of Windows": (RUSSIAN.encode("cp1251"), {"sep": ";", "encoding": "cp1251"}),
    "UTF-8 that is cut within a letter": (("a,b\n" + "ü,1\n" * 9 + "ü").encode()[:-1], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_dialect_is_found_from_the_first_bytes(name: str) -> None:
    content, wanted = SAMPLES[name]
    sample = content.encode() if isinstance(content, str) else content
    assert found(sample) == Dialect(**{"encoding": "utf-8", **wanted})


def test_a_record_that_the_sample_cuts_does_not_count() -> None:
    rows = "".join(f'{i};"a text, with commas";{i},5\n' for i in range(20_000))
    sample = ("id;text;price\n" + rows).encode()[:SAMPLE_BYTES]
    assert len(sample) == SAMPLE_BYTES
    assert found(sample) == Dialect(sep=";", decimal=",")


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_have_a_dialect(seed: int) -> None:
    made = random.Random(seed)
    found(made.randbytes(made.randrange(300)))
    found("".join(made.choices("a1,;\t|\" \n\r.'é", k=300)).encode())


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["1", "2"], NumberForm()),
        (["1.5", "2"], NumberForm()),
        (["1,5", "2"], NumberForm(",")),
        (["1.234,5", "12,25"], NumberForm(",", ".")),
        (["1,234,567", "12"], NumberForm(".", ",")),
        (["0,126", "1,234"], NumberForm(",")),
        (["1e-5", "-2.5E3"], NumberForm()),
        (["a", "1"], None),
        ([], None),
        (["1.5.2", "1,5,2"], None),
    ],
)
def test_the_numbers_of_a_column_have_a_form(cells: list[str], wanted: NumberForm | None) -> None:
    assert number_form([cells]) == wanted
