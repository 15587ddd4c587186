"""Formats dates as moment does, in English. Must not guess: what it does not know is Unsupported."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from parapet_elastic.rendering.javascript import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_TOKEN = re.compile(
    r"\[[^\[]*\]|\\?(?:[Hh]mm(?:ss)?|Mo|MM?M?M?|Do|DDDo|DD?D?D?|ddd?d?|do?|w[ow]?|W[oW]?|Qo?|N{1,5}|YYYYYY|YYYYY|YYYY|"
    r"YY|y{2,4}|yo?|gg(?:ggg?)?|GG(?:GGG?)?|e|E|a|A|hh?|HH?|kk?|mm?|ss?|S{1,9}|x|X|zz?|ZZ?|LTS|LT|LL?L?L?|l{1,4}|.)",
    re.DOTALL,
)
_LONG_TOKEN = re.compile(r"\[[^\[]*\]|\\?(?:LTS|LT|LL?L?L?|l{1,4})")
_LONG: Final = {
    "LTS": "h:mm:ss A",
    "LT": "h:mm A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905 - it reads better
# Files of the time zone database that moment does not take for zones.
_NO_ZONES: Final = frozenset({"Factory", "localtime"})


def format_date(date: str, zone: str, form: str) -> str:
    """Return a date as Kibana's FormatDate gives it, or the text that it gives for what is wrong.

    Args:
        date: ISO 8601 with its offset, as Kibana's variables have it.
        zone: A name of the time zone database.
        form: moment's tokens.

    Raises:
        Unsupported: moment may know the date, or knows the token, and we do not.
    """
    if not date:
        return "date is empty"
    if not re.search("[0-9]", date):
        return f'invalid date "{date}"'
    moment = _parse(date)
    if moment is None:
        return f'invalid date "{date}"'
    place = _zone(zone)
    if place is None:
        return f'unknown timeZone value "{zone}"'
    local = moment.astimezone(place)
    written_out = _LONG_TOKEN.sub(lambda found: _LONG.get(found.group(), found.group()), form)
    return "".join(_piece(found.group(), local) for found in _TOKEN.finditer(written_out))


def _parse(date: str) -> datetime | None:
    """Return the moment, None for a date that there is not."""
    found = _DATE.fullmatch(date)
    if not found:
        raise Unsupported(
            f'FormatDate of "{date}": only dates such as 2026-01-28T15:30:02.345Z can be shown here',
            todo="Give the date with its time and offset; without an offset it depends on the server's time zone.",
        )
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=_offset(offset)
        )
    except ValueError:
        if int(hour) == 24:
            raise Unsupported(f'FormatDate of "{date}": the hour 24 is not followed here') from None
        return None
    return moment + timedelta(milliseconds=math.floor(float(f"0.{fraction or 0}") * 1000))


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return timezone.utc
    known = available_timezones() - _NO_ZONES
    if not known:
        raise Unsupported(
            f'FormatDate in "{name}": this computer has no time zone data', todo="Install the Python package tzdata."
        )
    return ZoneInfo(name) if name in known else None


def _piece(token: str, when: datetime) -> str:
    if token in _PIECES:
        return _PIECES[token](when)
    if token.startswith("[") and len(token) > 1:
        return token[1:-1]
    if len(token) == 1 and not (token.isascii() and token.isalpha()):
        return token
    if token.startswith("\\"):
        return token.replace("\\", "")
    if token in _PASSED:
        return token
    raise Unsupported(f'FormatDate: the token "{token}" of the format is not known here')


# moment passes on every letter that is none of its tokens.
_PASSED: Final = frozenset("bcfgijnopqrtuvBCFGIJKOPRTUV")


def _ordinal(value: int) -> str:
    ending = "th" if value % 100 // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def _day_of_year(when: datetime) -> int:
    return when.timetuple().tm_yday


def _fraction(digits: int) -> Callable[[datetime], str]:
    return lambda when: (f"{when.microsecond // 1000:03d}" + "0" * 6)[:digits]


def _hour(when: datetime) -> int:
    return when.hour % 12 or 12


def _shift(when: datetime, colon: str) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


_PIECES: Final[dict[str, Callable[[datetime], str]]] = {
    "M": lambda when: str(when.month),
    "Mo": lambda when: _ordinal(when.month),
    "MM": lambda when: f"{when.month:02d}",
    "MMM": lambda when: _MONTHS[when.month - 1][:3],
    "MMMM": lambda when: _MONTHS[when.month - 1],
    "Q": lambda when: str((when.month + 2) // 3),
    "Qo": lambda when: _ordinal((when.month + 2) // 3),
    "D": lambda when: str(when.day),
    "Do": lambda when: _ordinal(when.day),
    "DD": lambda when: f"{when.day:02d}",
    "DDD": lambda when: str(_day_of_year(when)),
    "DDDo": lambda when: _ordinal(_day_of_year(when)),
    "DDDD": lambda when: f"{_day_of_year(when):03d}",
    "d": lambda when: str(when.isoweekday() % 7),
    "do": lambda when: _ordinal(when.isoweekday() % 7),
    "dd": lambda when: _DAYS[when.weekday()][:2],
    "ddd": lambda when: _DAYS[when.weekday()][:3],
    "dddd": lambda when: _DAYS[when.weekday()],
    "E": lambda when: str(when.isoweekday()),
    "W": lambda when: str(when.isocalendar()[1]),
    "Wo": lambda when: _ordinal(when.isocalendar()[1]),
    "WW": lambda when: f"{when.isocalendar()[1]:02d}",
    "GG": lambda when: f"{when.isocalendar()[0] % 100:02d}",
    "GGGG": lambda when: f"{when.isocalendar()[0]:04d}",
    "YY": lambda when: f"{when.year % 100:02d}",
    "YYYY": lambda when: f"{when.year:04d}",
    "Y": lambda when: f"{when.year:04d}",
    "YYYYYY": lambda when: f"+{when.year:06d}",
    "YYYYY": lambda when: f"{when.year:05d}",
    "A": lambda when: "AM" if when.hour < 12 else "PM",
    "a": lambda when: "am" if when.hour < 12 else "pm",
    "H": lambda when: str(when.hour),
    "HH": lambda when: f"{when.hour:02d}",
    "h": lambda when: str(_hour(when)),
    "hh": lambda when: f"{_hour(when):02d}",
    "k": lambda when: str(when.hour or 24),
    "kk": lambda when: f"{when.hour or 24:02d}",
    "m": lambda when: str(when.minute),
    "mm": lambda when: f"{when.minute:02d}",
    "s": lambda when: str(when.second),
    "ss": lambda when: f"{when.second:02d}",
    "Hmm": lambda when: f"{when.hour}{when.minute:02d}",
    "Hmmss": lambda when: f"{when.hour}{when.minute:02d}{when.second:02d}",
    "hmm": lambda when: f"{_hour(when)}{when.minute:02d}",
    "hmmss": lambda when: f"{_hour(when)}{when.minute:02d}{when.second:02d}",
    "Z": lambda when: _shift(when, ":"),
    "ZZ": lambda when: _shift(when, ""),
    "X": lambda when: str(math.floor(when.timestamp())),
    "x": lambda when: str(math.floor(when.timestamp()) * 1000 + when.microsecond // 1000),
    **{"S" * digits: _fraction(digits) for digits in range(1, 10)},
}
