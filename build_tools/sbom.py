"""Lists what is in the package as a CycloneDX 1.5 document, for those who must know what they install.

It must not contain a time or a random number: the same package has the same list.
"""

from __future__ import annotations

import json

from build_tools.project import APP
from build_tools.vendored import Pin

# Which of the vendored packages import which; the app itself uses the two that it names.
_APP_USES = ["requests", "splunk-sdk"]
_USES = {"requests": ["certifi", "charset-normalizer", "idna", "urllib3"]}


def sbom(version: str, package_sha256: str, pins: list[Pin]) -> str:
    """Returns the document as JSON.

    Args:
        version: the app's version.
        package_sha256: the digest of the .spl file, in hex.
        pins: what is vendored into it.
    """
    refs = {pin.name: f"pkg:pypi/{pin.name}@{pin.version}" for pin in pins}
    app = f"pkg:generic/{APP}@{version}"
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _component("application", app, Pin(APP, version, package_sha256, "Apache-2.0"))},
        "components": [_component("library", refs[pin.name], pin) for pin in pins],
        "dependencies": [
            {"ref": app, "dependsOn": [refs[name] for name in _APP_USES]},
            *({"ref": ref, "dependsOn": [refs[used] for used in _USES.get(name, [])]} for name, ref in refs.items()),
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _component(kind: str, purl: str, what: Pin) -> dict[str, object]:
    return {
        "type": kind,
        "bom-ref": purl,
        "name": what.name,
        "version": what.version,
        "licenses": [{"license": {"id": what.licence}}],
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": what.sha256}],
    }
