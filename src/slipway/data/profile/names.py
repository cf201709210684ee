"""Hints in the names of columns, in the languages in which tables are mostly named."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-zß-ÿ]+|\d+")


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_IDS = _of("id ids uuid guid key pk rowid rownum rownames index idx serial record lfd ident identifier seqn seqno")
_ENTITIES = _of(
    "customer client user patient subject person member household player student employee driver device machine "
    "vehicle account kunde kunden patnr"
)
_CODES = _of(
    "code cd zip zipcode postcode postal plz fips class subclass type category cat kind sku isbn iata icao area "
    "dept department district cluster naics sic"
)
_MOMENTS = _of(
    "date datetime time timestamp ts day when created ordered order issued observed observation pickup start "
    "started departure hour month moment datum zeit tag at week issue sale sold transaction event visit arrival"
)
_NO_MOMENTS = _of(
    "birth birthday birthdate dob born expiry expiration expires end ended until due death closed updated modified "
    "geburt dropoff last built renovated"
)


def words_of(name: str) -> frozenset[str]:
    """Return the words of a name in small letters: `customerId`, `customer_id` and `Customer ID` have the same."""
    return frozenset(word.lower() for word in _WORDS.findall(name))


def says_id(name: str) -> bool:
    """Return whether a name says that its values name rows or things."""
    return bool(words_of(name) & _IDS) or name.lower().endswith(("_no", "_nr", " no", " nr", ".no"))


def says_entity(name: str) -> bool:
    """Return whether a name says that its values name things of which a table may have several rows."""
    words = words_of(name)
    return bool(words & _ENTITIES) or bool(words & {"id", "uuid", "guid"})


def says_person(name: str) -> bool:
    """Return whether a name says which kind of thing its values name."""
    return bool(words_of(name) & _ENTITIES)


def says_code(name: str) -> bool:
    """Return whether a name says that its whole numbers are codes, with no order among them."""
    return bool(words_of(name) & _CODES)


def says_moment(name: str) -> bool:
    """Return whether a name may be that of the moment of an observation."""
    words = words_of(name)
    return bool(words & _MOMENTS) and not words & _NO_MOMENTS


def says_another_time(name: str) -> bool:
    """Return whether a name is that of a time before or after the observation: a birth, an end, a change."""
    return bool(words_of(name) & _NO_MOMENTS)
