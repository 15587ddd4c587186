"""The .webhook connector type: its schema in each version, and its licence. Must not send anything.

contract/kibana.md section 1; the shapes are those of kbn-connector-schemas/webhook and stack_connectors/webhook.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.elastic.standins.kibana_answers import is_a, platform
from tests.elastic.standins.kibana_versions import LICENCES

TYPE = ".webhook"
TYPES = {
    TYPE: ("Webhook", "gold"),
    ".index": ("Index", "basic"),
    ".server-log": ("Server log", "basic"),
    ".slack": ("Slack", "gold"),
    ".email": ("Email", "gold"),
}
_TEXT = (str, None)
_AUTH_TYPES = ("webhook-authentication-basic", "webhook-authentication-ssl", None)
_OAUTH = "webhook-oauth2-client-credentials"


def enabled(world, type_id):
    """Return (in the licence, in the configuration) for a connector type."""
    licensed = LICENCES.index(world.license) >= LICENCES.index(TYPES[type_id][1])
    return licensed, "*" in world.enabled_types or type_id in world.enabled_types


def check_enabled(world, type_id):
    """Raise the 403 of a connector type that the licence or the configuration does not have."""
    licensed, configured = enabled(world, type_id)
    if not configured:
        raise platform(
            403,
            f'action type "{type_id}" is not enabled in the Kibana config xpack.actions.enabledActionTypes',
        )
    if not licensed:
        raise platform(
            403,
            f"Action type {type_id} is disabled because your {world.license} license does not support it. "
            "Please upgrade your license.",
        )


def check(world, config, secrets):
    """Hold config and secrets against the schema of this version.

    Returns:
        The config as it is stored, with the schema's defaults.

    Raises:
        Refusal: 400 with Kibana's words.
    """
    _strict("config", config, _config_keys(world.version))
    _strict("secrets", secrets, _secret_keys(world.version))
    stored = {"method": "post", "hasAuth": True, "headers": None, **config}
    if "url" not in config:
        raise invalid("config", "[url]: expected value of type [string] but got [undefined]")
    methods = ("post", "put", "patch", "get", "delete") if world.version.all_methods else ("post", "put")
    if stored["method"] not in methods:
        raise invalid("config", f"[method]: types that failed validation: expected one of {'|'.join(methods)}")
    for name, where in (("headers", config), ("secretHeaders", secrets)):
        _check_headers("config" if where is config else "secrets", name, where.get(name))
    _check_url(world, stored["url"])
    _check_auth(world.version, stored, secrets)
    return stored


def invalid(part, why):
    """Return the Refusal for a config or secrets that cannot be."""
    return platform(400, f"error validating action type {part}: {why}")


def _config_keys(version):
    keys = {"url": str, "method": str, "headers": (dict, None), "hasAuth": bool}
    if version.tls_options:
        keys.update(authType=_TEXT, certType=_TEXT, ca=_TEXT, verificationMode=_TEXT)
    if version.secret_headers:
        keys.update(accessTokenUrl=_TEXT, clientId=_TEXT, scope=_TEXT, additionalFields=_TEXT)
    return keys


def _secret_keys(version):
    keys = {"user": _TEXT, "password": _TEXT}
    if version.tls_options:
        keys.update(crt=_TEXT, key=_TEXT, pfx=_TEXT)
    if version.secret_headers:
        keys.update(secretHeaders=(dict, None), clientSecret=_TEXT)
    return keys


def _strict(part, value, keys):
    for name in value:
        if name not in keys:
            raise invalid(part, f"[{name}]: definition for this key is missing")
        if not is_a(value[name], keys[name]):
            raise invalid(part, f"[{name}]: the value has the wrong type")


def _check_headers(part, name, headers):
    for key, value in (headers or {}).items():
        if not isinstance(value, str):
            raise invalid(part, f"[{name}.{key}]: expected value of type [string]")


def _check_url(world, url):
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("config", f"error validation webhook action config: unable to parse url: TypeError: {url}")
    if not host_allowed(world, url):
        # "error configuring webhook action" is the older wording; the contract does not say when it changed.
        head = (
            "error validation webhook action config"
            if world.version.from_on(9, 0)
            else ("error configuring webhook action")
        )
        raise invalid(
            "config", f'{head}: target url "{url}" is not added to the Kibana config xpack.actions.allowedHosts'
        )


def host_allowed(world, url):
    """Whether xpack.actions.allowedHosts has the host of `url`."""
    return "*" in world.allowed_hosts or urlsplit(url).hostname in world.allowed_hosts


def _check_auth(version, config, secrets):
    kind = config.get("authType")
    kinds = (*_AUTH_TYPES, _OAUTH) if version.secret_headers else _AUTH_TYPES
    if kind not in kinds:
        raise invalid("config", "[authType]: types that failed validation")
    if not config["hasAuth"]:
        if kind is not None:
            raise invalid("config", "authType must be null or undefined if hasAuth is false")
        return
    basic = bool(secrets.get("user")) and bool(secrets.get("password"))
    if kind in (None, "webhook-authentication-basic") and not basic:
        raise invalid("connector", "hasAuth is true, and the secrets hold no user and password")
    if kind == "webhook-authentication-ssl" and not (secrets.get("pfx") or (secrets.get("crt") and secrets.get("key"))):
        raise invalid("connector", "hasAuth is true, and the secrets hold neither crt and key nor pfx")
    if kind == _OAUTH and not (config.get("accessTokenUrl") and config.get("clientId") and secrets.get("clientSecret")):
        raise invalid("connector", "OAuth2 needs accessTokenUrl, clientId and clientSecret")


def check_params(params):
    """Hold the parameters of an execution against the schema: `body`, a string, and nothing else.

    Returns:
        What is wrong, None when nothing.
    """
    for name in params:
        if name != "body":
            return f"error validating action params: [{name}]: definition for this key is missing"
    if not isinstance(params.get("body", ""), str):
        return "error validating action params: [body]: expected value of type [string]"
    return None
