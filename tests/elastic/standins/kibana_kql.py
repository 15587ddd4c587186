"""A part of KQL: fields, values, wildcards, ranges, and, or, not, parentheses. Must refuse all the rest of it."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r'\s*(?:(?P<mark>[()]|<=|>=|[:<>])|"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<word>(?:\\.|[^\s():<>"\\{}])+))'
)
_WORDS = ("and", "or", "not")
_STAR = "\0"


class Invalid(Exception):
    """It is no KQL, or a part of it that is not known here."""


def compile_kql(text):
    """Return a function that takes `get`, a lookup of a field, and says whether the query matches.

    `get(name)` gives (values, whether the field is analysed text); it may raise Invalid for a field that cannot be.
    An empty query matches everything.
    """
    tokens = _tokens(text)
    if not tokens:
        return lambda _get: True
    parser = _Parser(tokens)
    test = parser.either(parser.clause)
    if parser.rest:
        raise Invalid(f'Expected AND, OR, end of input but "{parser.rest[0][1]}" found.')
    return test


def _tokens(text):
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Invalid(f'Expected a KQL expression but "{text[place : place + 10]}" found.')
        found.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens):
        self.rest = tokens

    def either(self, part):
        found = [self.all(part)]
        while self._skip("or"):
            found.append(self.all(part))
        return lambda get: any(each(get) for each in found)

    def all(self, part):
        found = [self.maybe_not(part)]
        while self._skip("and"):
            found.append(self.maybe_not(part))
        return lambda get: all(each(get) for each in found)

    def maybe_not(self, part):
        if self._skip("not"):
            inner = self.maybe_not(part)
            return lambda get: not inner(get)
        if self._skip_mark("("):
            inner = self.either(part)
            self._need(")")
            return inner
        return part()

    def clause(self):
        kind, name = self._take()
        if kind == "mark" or self._is_word(kind, name):
            raise Invalid(f'Expected a field name but "{name}" found.')
        kind, mark = self._take()
        if kind != "mark" or mark in "()":
            raise Invalid(f'"{name}" stands without a field.')
        name = _unescape(name)
        if mark != ":":
            return _range(name, mark, self._value())
        return self.maybe_values(name)

    def maybe_values(self, name):
        if self.rest and self.rest[0] == ("mark", "("):
            self._take()
            inner = self.either(lambda: _is(name, self._value()))
            self._need(")")
            return inner
        return _is(name, self._value())

    def _value(self):
        kind, value = self._take()
        if kind == "mark" or self._is_word(kind, value):
            raise Invalid(f'Expected a value but "{value}" found.')
        if kind == "quoted":
            return kind, _unescape(value)
        words = [value]
        while self.rest and self.rest[0][0] == "word" and not self._is_word(*self.rest[0]):
            words.append(self._take()[1])
        return kind, " ".join(words)

    def _take(self):
        if not self.rest:
            raise Invalid("Expected a value or a field name but end of input found.")
        return self.rest.pop(0)

    def _skip(self, word):
        if self.rest and self.rest[0][0] == "word" and self.rest[0][1].lower() == word:
            self.rest.pop(0)
            return True
        return False

    def _skip_mark(self, mark):
        if self.rest and self.rest[0] == ("mark", mark):
            self.rest.pop(0)
            return True
        return False

    def _need(self, mark):
        if not self._skip_mark(mark):
            raise Invalid(f'Expected "{mark}".')

    @staticmethod
    def _is_word(kind, value):
        return kind == "word" and value.lower() in _WORDS


def _unescape(text):
    return re.sub(r"\\(.)", r"\1", text)


def _range(name, mark, value):
    wanted = _unescape(value[1])

    def test(get):
        return any(_compare(each, mark, wanted) for each in get(name)[0])

    return test


def _compare(found, mark, wanted):
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        try:
            wanted = float(wanted)
        except ValueError as exc:
            raise Invalid(f"{wanted} is no number") from exc
    else:
        found = _text(found)
    return {"<": found < wanted, "<=": found <= wanted, ">": found > wanted, ">=": found >= wanted}[mark]


def _is(name, value):
    kind, wanted = value
    pattern = None
    if kind == "word":
        pieces = [_unescape(piece) for piece in re.sub(r"\\\*", _STAR, wanted).split("*")]
        pieces = [piece.replace(_STAR, "*") for piece in pieces]
        wanted, pattern = pieces[0], pieces if len(pieces) > 1 else None

    def test(get):
        values, analysed = get(name)
        values = [_text(each) for each in values if each is not None]
        if pattern == ["", ""]:
            return bool(values)
        if analysed:
            return any(_in_text(each, kind, wanted, pattern) for each in values)
        if pattern:
            return any(_like(pattern, each) for each in values)
        return wanted in values

    return test


def _text(value):
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _like(pieces, value):
    return re.fullmatch(".*".join(map(re.escape, pieces)), value, re.DOTALL) is not None


def _in_text(value, kind, wanted, pattern):
    """Match a field of type text: single words in lower case, quoted ones one after the other."""
    found = _analysed(value)
    if pattern:
        return any(_like([piece.lower() for piece in pattern], word) for word in found)
    words = _analysed(wanted)
    if kind == "quoted":
        return any(found[place : place + len(words)] == words for place in range(len(found))) if words else False
    return any(word in found for word in words)


def _analysed(text):
    return re.findall(r"\w+", text.lower())
