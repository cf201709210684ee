"""Names of columns that every part has to take, however it reads them."""

ODD_NAMES = (
    "Net Sales",
    "F.Undergrad",
    "Größe [cm]",
    "a/b",
    "% off",
    "it's",
    'the "best"',
    "a\\b",
    "__x",
)
