"""The encoding of a text file, guessed from its first bytes."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"
# In a Western text few letters have an accent; in a Greek or Russian one nearly all bytes of words are high.
_FEW_ACCENTS = 0.5
_OTHERS = [
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "koi8_r",
    "shift_jis",
    "euc_kr",
    "gb18030",
    "big5",
]


def encoding_of(sample: bytes) -> str:
    """Return the name of a Python codec for a file that begins with `sample`, which may end within a character."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if wide := _wide(sample):
        return wide
    if decodes(sample, "utf-8"):
        return "utf-8"
    high = sum(byte >= 0x80 for byte in sample)
    letters = high + sum(chr(byte).isalpha() for byte in sample if byte < 0x80)
    if high <= _FEW_ACCENTS * letters:
        return _WESTERN if decodes(sample, _WESTERN) else "latin-1"
    return _by_its_letters(sample)


def decodes(sample: bytes, encoding: str) -> bool:
    """Return whether the sample is text of the encoding; its last character may be cut."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str:
    """Return UTF-16 for a text without a mark whose every other byte is zero, as Latin letters and digits are there."""
    pairs = len(sample) // 2
    if not pairs:
        return ""
    low, high = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if high > 0.6 * pairs and not low:
        return "utf-16-le"
    return "utf-16-be" if low > 0.6 * pairs and not high else ""


def _by_its_letters(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # 50 ms that only such files cost

    best = from_bytes(sample[:50_000], cp_isolation=[*_OTHERS, _WESTERN]).best()
    name = best.encoding if best else _WESTERN
    return name if decodes(sample, name) else "latin-1"
