"""Texts and bytes that have broken programs before. Must not know which target they go to."""

# What has broken programs before, where a text stands.
PIECES = (
    "", "\0", "\n", "\r\n", "\u2028", "\x1b[31m", "\ud800", "\ufeff", "é", "🛡", "\\", '"', "'", "$", "$$", "$;$", "=", ",", ";", "*", "{", "[",
    "%00", "%0d%0a", "../", "/dev/stdin", "$result.x$", "a" * 5000, "9" * 400, "-1", "0", "1e999", "NaN", "Infinity", "null", "true", "[]", "{}",
    "pst_0123456789abcdef", "https://u:p@h/webhook/x", "http://localhost/webhook/x", "http://localhost\\@h/webhook/x", "https://[::1]/webhook/x",
    "https://h/webhook/x", "scheduler__a__b__RMD5_at_9999999999_1", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "-99999999999",
    "T1059.001", "@@notable@@", "event=alert.lost", "=1+1", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "xml version='1.0' encoding='utf-7'",
)  # fmt: skip
BYTES = (
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x00" * 9,
    b"\r\n\r\n",
    b"\n\n",
    b"\x1f\x8b\x08",
    b"1" * 70000,
    b"[" * 3000,
    b"\xef\xbb\xbf",
)
