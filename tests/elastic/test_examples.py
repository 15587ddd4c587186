"""The examples for those who do not use parapet-elastic: their syntax, and that they say what the tool would do."""

from __future__ import annotations

import re

import hcl2
import pytest
import yaml
from build_tools.project import ROOT

EXAMPLES = ROOT / "elastic/examples"
YAMLS = ("kibana.yml", "kibana-before-9.2.yml")


def terraform():
    """The Terraform example, parsed as HCL."""
    with (EXAMPLES / "terraform/main.tf").open(encoding="utf-8") as file:
        return hcl2.load(file)


def resource(kind):
    """The attributes of the one resource of this kind."""
    (found,) = [each[kind] for each in terraform()["resource"] if kind in each]
    (attributes,) = found.values()
    return attributes


@pytest.mark.parametrize("name", YAMLS)
def test_the_connector_of_kibana_yml_is_the_one_that_kibana_wants(name):
    """Contract §1: id, type, method, no authentication of its own, and the Content-Type that the guide forgets."""
    settings = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))
    assert settings == {
        "xpack.actions.preconfigured": {
            "parapet-security": {
                "name": "Parapet Security",
                "actionTypeId": ".webhook",
                "config": {
                    "url": "https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID",
                    "method": "post",
                    "hasAuth": False,
                    "headers": {"Content-Type": "application/json"},
                },
            }
        }
    }


@pytest.mark.parametrize(("name", "place"), zip(YAMLS, ("secrets.secretHeaders", "config.headers")))
def test_the_token_goes_from_the_keystore_to_where_this_version_reads_it(name, place):
    """And stands in no line that Kibana reads from the file."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert f"kibana-keystore add xpack.actions.preconfigured.parapet-security.{place}.Authorization" in text
    assert all(line.startswith("#") for line in text.splitlines() if re.search("pst_|Bearer", line))


def test_terraform_makes_a_webhook_connector_with_the_token_in_one_place_only():
    """In secretHeaders, or for older versions in the headers, never in both."""
    connector = resource("elasticstack_kibana_action_connector")
    assert connector["connector_type_id"] == ".webhook"
    for part in ("hasAuth", "Content-Type", "!var.secret_headers"):
        assert part in str(connector["config"]) + str(terraform()["locals"])
    assert "secretHeaders" in connector["secrets"]
    assert "var.parapet_token" in str(terraform()["locals"])


def test_terraforms_rule_sends_a_template_that_is_there():
    """The path is relative to the example."""
    (action,) = resource("elasticstack_kibana_security_detection_rule")["actions"]
    (path,) = re.findall(r"\$\{path\.module\}/(\S+?\.mustache)", str(action["params"]))
    assert (EXAMPLES / "terraform" / path).is_file()
    assert action["action_type_id"] == ".webhook"
    assert action["frequency"] == {"summary": False, "notify_when": "onActiveAlert", "throttle": "no_actions"}


def test_terraforms_secrets_are_marked_as_such():
    """So that a plan does not print them."""
    sensitive = {name for each in terraform()["variable"] for name, about in each.items() if about.get("sensitive")}
    assert sensitive == {"kibana_api_key", "parapet_token"}
