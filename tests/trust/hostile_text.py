"""Sixty texts that somebody might give to an instance, a key, a file or an error.

Each holds a mark of its own (`mark_of`), so that a test can see whether it was shown at all. What
a terminal would obey says 6666 or `pwned`, which nothing of ours ever does.
"""

from __future__ import annotations

from typing import NamedTuple


class HostileText(NamedTuple):
    """A text, what it is, and whether a database or a JSON document can hold it."""

    id: str
    text: str
    is_storable: bool = True


_OBEYED = {
    "sgr": "\x1b[6666;31m{}\x1b[0m",
    "clear": "\x1b[6666J\x1b[H{}",
    "cursor": "\x1b[6666;6666H{}",
    "scroll region": "\x1b[66;6666r{}",
    "modes": "\x1b[?6666h{}\x1b[?6666l",
    "alternate screen": "\x1b[?47l{}",
    "title": "\x1b]0;pwned\x07{}",
    "title, ended by ST": "\x1b]2;pwned\x1b\\{}",
    "clipboard": "\x1b]52;c;cHduZWQ=\x07{}",
    "link": "\x1b]8;;http://pwned.example\x1b\\{}\x1b]8;;\x1b\\",
    "notification": "\x1b]777;notify;pwned;{}\x07",
    "working folder": "\x1b]7;file://pwned/{}\x1b\\",
    "colour of the terminal": "\x1b]11;#666666\x07{}",
    "device control": "\x1bPpwned{}\x1b\\",
    "private message": "\x1b^pwned{}\x1b\\",
    "application command": "\x1b_Gpwned{}\x1b\\",
    "tmux passthrough": "\x1bPtmux;\x1b\x1b]0;pwned\x07{}\x1b\\",
    "status report": "\x1b[6666n\x1b[6n{}",
    "device attributes": "\x1b[c\x1b[>c{}",
    "answerback": "\x05{}",
    "reset": "\x1bc{}",
    "soft reset": "\x1b[!p{}",
    "character set": "\x1b(0{}\x1b(B",
    "shift out": "\x0e{}\x0f",
    "repeat": "{}\x1b[6666b",
    "insert lines": "\x1b[6666L{}",
    "window": "\x1b[8;6666;6666t{}",
    "keyboard": "\x1b[>6666u{}",
    "half a sequence": "{}\x1b[",
    "an escape at the end": "{}\x1b",
    "c1 csi": "\x9b6666m{}",
    "c1 osc": "\x9d0;pwned\x9c{}",
    "c1 dcs": "\x90pwned\x9c{}",
    "c1 next line": "{}\x85pwned",
    "nul": "{}\x00pwned",
    "bell": "\x07{}\x07",
    "backspace": "good\x08\x08\x08\x08{}",
    "delete": "good\x7f\x7f\x7f\x7f{}",
    "vertical tab and form feed": "{}\x0bpwned\x0cpwned",
    "carriage return": "{}\rpwned",
    "line break": "{}\n● pwned active",
    "tab": "{}\tpwned",
}
_SEEN_OTHERWISE = {
    "override": "{}\u202egnp.exe",
    "embedding": "\u202b{}\u202c",
    "isolate": "\u2067{}\u2069\u2066",
    "marks of direction": "\u200e\u200f\u061c{}",
    "line separators": "{}\u2028pwned\u2029",
    "zero width": "{}\u200b\u2060\ufeff\u180e",
    "soft hyphen": "{}\u00ad\u034f",
    "fillers": "{}\u3164\u115f\u1160\uffa0\u2800",
    "tags": "{}\U000e0070\U000e0077\U000e006e\U000e007f",
    "selectors": "{}\ufe00\ufe0f\U000e0100",
    "joiners": "{}\u200d\u200c",
    "pile": "{}e" + "\u0301\u0316\u0489" * 40,
    "marks alone": "\u0336\u0336{}",
    "private use": "{}\ue000\U00100000\uf8ff",
    "no characters": "{}\ufdd0\uffff\U0010ffff",
    "numbers of Arabic": "{}\u0600\u06dd\u110bd",
    "very long": "{}" + "x" * 5_000,
}
# What bytes that are no UTF-8 become in arguments and names of files.
_UNSTORABLE = {"surrogates": "{}\udc9b6666m\udc80\udcff"}


def mark_of(number: int) -> str:
    """Return the mark that the text of a number holds."""
    return f"Zq{number:02d}"


HOSTILE_TEXTS = tuple(
    HostileText(name, pattern.replace("{}", mark_of(number)), name not in _UNSTORABLE)
    for number, (name, pattern) in enumerate(
        (*_OBEYED.items(), *_SEEN_OTHERWISE.items(), *_UNSTORABLE.items())
    )
)

# Texts that look like markup of Rich or Textual, or like templates and formats.
MARKUP_TEXTS = (
    "Rack [A-3]",
    "Rack [b]",
    "[primary] db",
    "node [red]",
    "[ok]",
    "Aisle [B]",
    "host[/var]",
    "[/]",
    "[@click=app.quit]press[/]",
    "[@click='app.leave']press[/]",
    "[link=http://pwned.example]press[/link]",
    "[on red]alert[/on red]",
    "[bold",
    "\\[b]bold",
    "[[b]]",
    "[reverse][blink]x",
    "$var {name} %s %d",
    ":smile: :warning:",
    "<b>&amp;</b>",
    "# title **bold** `code`",
)

# Names that are honest, and hard to draw: wide, joined, stacked, in both directions.
WIDE_NAMES = (
    "Berlin 1",
    "Zürich Hauptbahnhof",
    "Łódź Fabryczna",
    "Αθήνα",
    "Москва",
    "東京駅",
    "新大阪ラボ１２",
    "서울 부산역",
    "上海浦东国际机场数据中心",
    "ﾊﾝｶｸ ｶﾅ",
    "छत्रपति शिवाजी",
    "क्षत्रिय",
    "தமிழ்நாடு",
    "নমস্কার",
    "മലയാളം",
    "ಅಲ್ಗೇರಿ",
    "กรุงเทพมหานคร",
    "เชียงใหม่ น้ำตก",
    "ພາສາລາວ",
    "မြန်မာ",
    "ភាសាខ្មែរ",
    "བོད་ཡིག",
    "القاهرة",
    "می\u200cخواهم",
    "תל אביב",
    "שָׁלוֹם",
    "Nguye\u0302\u0303n Thi\u0323",
    "e\u0301e\u0301e\u0301",
    "a" + "\u0301" * 30,
    "👩\u200d👩\u200d👧\u200d👦 family",
    "👍🏽 hand",
    "🇩🇪🇨🇭 flags",
    "🏳️\u200d🌈 flag",
    "❤️ heart",
    "1️⃣ key",
    "⌚☂●▲",
    "🫨 new",
    "\x1b[31mred\x1b[0m",
    "a\u202eb\u200bc",
    "x" * 120,
)
