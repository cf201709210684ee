"""The colours of every page, as CSS: those of the reports, of the board and of an endpoint are the same."""

COLOURS = """\
:root {
  color-scheme: light dark;
  --paper: #f6f8fa; --card: #ffffff; --ink: #1d2733; --muted: #5a6878; --line: #dde3ea; --soft: #eef2f6;
  --blue: #0067a3; --blue-soft: #e3f0f8; --grey: #7c8896;
  --good: #00704e; --good-soft: #e0f3ec; --bad: #b04300; --bad-soft: #fdebdf;
  --staging: #e69f00; --production: #009e73;
  --sea: linear-gradient(120deg, #0b2f4a, #005a8f 70%, #0b7fae);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0e141b; --card: #161e28; --ink: #e4eaf1; --muted: #9aa8b8; --line: #2a3644; --soft: #1d2733;
    --blue: #6cbcec; --blue-soft: #12344b; --grey: #8e9bab;
    --good: #5fd0a5; --good-soft: #10372b; --bad: #ffa066; --bad-soft: #43240f;
    --sea: linear-gradient(120deg, #0a2436, #0b4468 70%, #0c5d80);
  }
}
"""
"""The variables of all colours, in the light and in the dark."""
