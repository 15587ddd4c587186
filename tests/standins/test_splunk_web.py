"""The Splunk Web stand-in as a server: login, forged requests, what splunkd/__raw lets through, what is recorded.

Must not test pages.
"""

from __future__ import annotations

import re

import pytest

from tests.standins.splunk_web_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    NOBODY,
    RAW,
    home_fixture,
    make_web_fixture,
    visit_fixture,
    web_fixture,
)

CONTEXT = RAW + "/services/authentication/current-context"
CONF = NOBODY + "/configs/conf-parapet_security"
FORGED = "Splunk cannot authenticate the request. CSRF validation failed."


def texts(answer):
    """The messages' texts."""
    return [one["text"] for one in answer.json()["messages"]]


def log_in(visitor, cval=None, **form):
    """Fill the form in and send it; `cval` instead of the form's own."""
    (own,) = re.findall('name="cval" value="([0-9]+)"', visitor.go("account/login").text)
    password = visitor.web.splunkd.access.users["admin"].password
    data = {"username": "admin", "password": password, "cval": cval or own, "return_to": "/en-US/app/x", **form}
    return visitor.go("account/login", "POST", data=data)


def test_the_form_opens_a_session_and_leads_back(web, visit):
    """The session's cookie is for no script, the other one is; both are named for web.conf's port."""
    visitor = visit(None)
    answer = log_in(visitor)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/en-US/app/x")
    cookies = {cookie.name: cookie.has_nonstandard_attr("HttpOnly") for cookie in visitor.cookies}
    assert cookies == {"cval": False, "splunkd_8000": True, "splunkweb_csrf_token_8000": False}
    assert visitor.go(CONTEXT).status_code == 200
    assert visitor.go("account/logout").headers["Location"] == "/en-US/account/login"
    assert visitor.go(CONTEXT).status_code == 303


@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"username": "nobody-here"}, {"cval": "1"}], ids=["password", "user", "cval"]
)
def test_a_wrong_login_is_401_and_opens_nothing(visit, wrong):
    """Whatever was wrong, the answer is the same."""
    visitor = visit(None)
    answer = log_in(visitor, **wrong)
    assert answer.status_code == 401
    assert "Login failed" in answer.text
    assert "splunkd_8000" not in visitor.cookies


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example/"])
def test_the_form_leads_to_no_other_host(visit, elsewhere):
    """A link to the login form is a link that people trust."""
    assert log_in(visit(None), return_to=elsewhere).headers["Location"] == "/en-US/"


def test_who_is_not_logged_in_gets_to_the_form(web, visit):
    """A page leads to it, so does a plain request to splunkd; one that says it is a script's is 401."""
    visitor = visit(None)
    page = visitor.go("app/parapet_security/setup?x=1")
    assert page.status_code == 303
    back = "%2Fen-US%2Fapp%2Fparapet_security%2Fsetup%3Fx%3D1"
    assert page.headers["Location"] == "/en-US/account/login?return_to=" + back
    plain = visitor.go(CONTEXT + "?output_mode=json")
    assert (plain.status_code, texts(plain)) == (303, ["See Other"])
    assert plain.headers["Location"].startswith("/en-US/account/login?return_to=")
    scripts = visitor.change(CONTEXT, "GET")
    assert (scripts.status_code, texts(scripts)) == (401, ["call not properly authenticated"])
    assert web.splunkd.requests == []


def test_a_session_that_splunkd_ended_is_none(web, visit):
    """As after the time-out of a page that was left open."""
    visitor = visit()
    session = next(iter(web.sessions._open.values()))
    web.splunkd.expire(session.key)
    assert visitor.change(CONTEXT, "GET").status_code == 401
    assert visitor.go("app/parapet_security/home").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Splunk-Form-Key": None},
        {"X-Splunk-Form-Key": ""},
        {"X-Splunk-Form-Key": "123"},
        {"X-Requested-With": None},
    ],
    ids=["no key", "empty key", "another key", "not a script"],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_change_without_the_form_key_is_refused_in_splunks_words(web, visit, headers, method):
    """And splunkd hears nothing of it."""
    answer = visit().change(CONF, method, {"name": "tenant:x"}, **headers)
    assert (answer.status_code, texts(answer)) == (401, [FORGED])
    assert web.splunkd.requests == []


def test_the_form_key_of_another_session_is_refused(web, visit):
    """Also when the cookie says the same, as whoever can set a cookie but not read one would have it."""
    visitor, other = visit(), visit("power")
    key = other.cookies[web.sessions.form_cookie]
    visitor.cookies.set(web.sessions.form_cookie, key)
    assert visitor.change(CONF, data={"name": "tenant:x"}).status_code == 401


def test_splunkd_answers_with_the_rights_of_the_user(visit):
    """An administrator may write, a user may not, and the answer is splunkd's own."""
    made = visit().change(CONF, data={"name": "tenant:x", "webhook_url": "https://x.invalid/"})
    assert made.status_code == 201
    assert made.json()["entry"][0]["name"] == "tenant:x"
    read = visit("power").go(CONF + "/tenant%3Ax?output_mode=json")
    assert read.json()["entry"][0]["content"]["webhook_url"] == "https://x.invalid/"
    refused = visit("power").change(CONF + "/tenant%3Ax", data={"disabled": "1"})
    assert refused.status_code == 403
    assert visit().change(CONF + "/tenant%3Ax", "DELETE").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/services/parapet_security/deliver",
        "/services/auth/login",
        "/services/../services/auth/login",
        "/servicesNS/nobody/configs",
        "/other",
        "",
    ],
)
def test_what_splunk_web_does_not_expose_is_404(web, visit, path):
    """An app's own endpoint needs a stanza in web.conf, and ours has none."""
    assert visit().change(RAW + path).status_code == 404
    assert web.splunkd.requests == []


@pytest.mark.parametrize(
    ("pattern", "status"),
    [
        ("parapet_security/deliver", 405),
        ("parapet_security/*", 405),
        ("*/del*", 405),
        ("**", 405),
        ("parapet_security", 404),
        ("*", 404),
    ],
)
def test_an_app_exposes_its_endpoints_in_web_conf(home, visit, pattern, status):
    """Here the handler's 405 shows that splunkd was reached; methods that are not named stay closed."""
    text = f"[expose:it]\npattern = {pattern}\nmethods = GET, POST\n"
    (home.app / "default" / "web.conf").write_text(text, encoding="utf-8")
    answer = visit().go(RAW + "/services/parapet_security/deliver")
    assert (answer.status_code == 404) == (status == 404)
    assert visit().change(RAW + "/services/parapet_security/deliver", "DELETE").status_code == 404


def test_a_method_that_splunkd_has_not_is_405(visit):
    """PUT, for one."""
    assert visit().change(CONF, "PUT").status_code == 405


def test_a_splunkd_that_is_gone_is_500_in_splunk_webs_words(web, visit):
    """As during a restart."""
    visitor = visit()
    web.splunkd.close()
    answer = visitor.change(CONTEXT, "GET")
    assert answer.status_code == 500
    assert texts(answer)[0].startswith(
        "Splunkd daemon is not responding: ('Error connecting to /services/authentication/"
    )


@pytest.mark.parametrize("fault", ["hang", 60.0], ids=["hangs", "is slow"])
def test_splunk_web_gives_up_on_a_splunkd_that_does_not_answer_in_time(make_web, visit, fault):
    """After half a minute, as web.conf's splunkdConnectionTimeout has it; splunkd may still do what was asked."""
    web = make_web(splunkd_timeout=0.2)
    assert make_web().splunkd_timeout == 30
    visitor = visit("admin", web)
    if fault == "hang":
        web.splunkd.fail("authentication/current-context", fault)
    else:
        web.splunkd.delay("authentication/current-context", fault)
    answer = visitor.change(CONTEXT, "GET")
    said = "('Error connecting to /services/authentication/current-context: The read operation timed out',)"
    assert (answer.status_code, texts(answer)) == (500, ["Splunkd daemon is not responding: " + said])
    web.splunkd.heal()
    assert visitor.change(CONTEXT, "GET").status_code == 200


def test_root_path_and_locale_stand_before_everything(make_web, visit):
    """Without the one it is 404, without the other there is a redirection."""
    web = make_web(root_path="/splunk", locale="de-DE")
    visitor = visit("admin", web)
    assert web.url("app/x").startswith(web.origin + "/splunk/de-DE/app/")
    assert visitor.go("app/parapet_security/home").status_code == 200
    for start in ("", "/others"):
        outside = visitor.get(web.origin + start + "/de-DE/app/parapet_security/home", timeout=10)
        assert outside.status_code == 404
    bare = visitor.get(web.origin + "/splunk/app/a%2Fb?c=%26", allow_redirects=False, timeout=10)
    assert (bare.status_code, bare.headers["Location"]) == (303, "/splunk/de-DE/app/a%2Fb?c=%26")
    other = visitor.get(web.origin + "/splunk/en-GB/config?autoload=1", timeout=10)
    assert '"SPLUNKD_PATH": "/splunk/en-GB/splunkd/__raw"' in other.text
    assert visitor.go(CONTEXT).status_code == 200


def test_the_access_log_has_every_target_whole_and_no_body(web, visit):
    """So a test finds what a page puts into a URL, and nothing is kept of what it sends as it should."""
    visitor = visit("power")
    visitor.go("app/parapet_security/home?token=canary")
    visitor.change(CONF, data={"name": "tenant:x", "note": "kept-nowhere"})
    log_in(visit(None))
    first = web.access_log[0]
    assert first[1:5] == ("power", "GET", "/en-US/app/parapet_security/home?token=canary", 200)
    line = r'127\.0\.0\.1 - power \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3} \+0000\] "GET /en-US/\S+ HTTP/1\.1" 200 \d+'
    assert re.match(line, web.access_text)
    password = web.splunkd.access.users["admin"].password
    assert "kept-nowhere" not in web.access_text
    assert password not in web.access_text + repr(vars(web)) + repr(vars(web.sessions))


def test_every_answer_carries_the_headers_of_splunk_web(visit):
    """Nobody frames it, nobody guesses types."""
    for path in ("account/login", "static/splunk.css", "nothing", CONTEXT):
        headers = visit().go(path).headers
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Security-Policy" not in headers


def test_a_bug_of_the_stand_in_fails_the_test(home, make_web, visit):
    """It answers 500, and says so when it is left."""
    web = make_web()
    web.sessions.serve = None
    assert visit(None, web).go("account/login").status_code == 500
    assert "TypeError" in web._errors[0]
    web._errors.clear()
