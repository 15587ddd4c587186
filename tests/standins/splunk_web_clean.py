"""What Splunk's own script does with the HTML of a panel before it shows it: it takes out what could run.

Must not know where the HTML comes from. The rules are those of util/htmlcleaner and simplexml/element/html in Splunk's
`exposed/js` (9.x, published in copies), with the defaults of web.conf.spec 9.0.3 for frames and embedded content.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

# dashboard_html_allow_embeddable_content is false by default, which closes frames as well.
_TAKEN_OUT = {"base", "embed", "head", "iframe", "link", "meta", "object", "script"}
# Dropped wherever it stands in a value, also as part of a sentence; images in data URLs are let through.
_BAD_VALUE = re.compile(
    r"(javascript|jscript|livescript|vbscript|data(?!:image/)|about|mocha):|<script>.+</script>", re.IGNORECASE
)
# Splunk asks for consent before it shows a panel that would fetch one of these from elsewhere; links are free.
_FETCHED = {
    "a": ("ping",),
    "audio": ("src",),
    "form": ("action",),
    "img": ("src",),
    "track": ("src",),
    "video": ("src",),
}
_EXTERNAL = re.compile(r"https?:", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(['\"]?(.+?)['\"]?\)")


def sanitised(node: ET.Element) -> str:
    """The inside of an element as it reaches the page."""
    _clean(node)
    inner = ET.tostring(node, encoding="unicode", method="html")
    return inner[inner.index(">") + 1 : inner.rindex("</")]


def external_urls(node: ET.Element) -> list[str]:
    """What the element would fetch from somewhere else."""
    found = [child.get(name, "") for child in node.iter() for name in _FETCHED.get(child.tag.lower(), ())]
    found += [url for style in node.iter("style") for url in _CSS_URL.findall(style.text or "")]
    return [url for url in found if _EXTERNAL.match(url.strip())]


def _clean(node: ET.Element) -> None:
    for child in list(node):
        if child.tag.lower() in _TAKEN_OUT:
            _take_out(node, child)
            continue
        for name in list(child.attrib):
            value = re.sub(r"[\s\x00-\x20]", "", child.get(name, ""))
            if name.lower().startswith("on") or name in ("data-main", "allowscriptaccess") or _BAD_VALUE.search(value):
                del child.attrib[name]
        _clean(child)


def _take_out(parent: ET.Element, child: ET.Element) -> None:
    """Remove an element and keep the text behind it, which ElementTree counts as the element's own."""
    siblings = list(parent)
    before = siblings.index(child) - 1
    if before >= 0:
        siblings[before].tail = (siblings[before].tail or "") + (child.tail or "")
    else:
        parent.text = (parent.text or "") + (child.tail or "")
    parent.remove(child)
