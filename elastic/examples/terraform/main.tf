# The connector, and a detection rule that uses it, with Elastic's provider "elasticstack": for those who manage Kibana by
# Terraform. The provider cannot add an action to rules that it does not manage, such as Elastic's prebuilt ones; for
# these, give the connector's id to parapet-elastic:
#
#   parapet-elastic attach --connector-id "$(terraform output -raw connector_id)" --all
#
# The token ends up in Terraform's state. Keep the state where nobody else can read it.

terraform {
  required_version = ">= 1.0.0"
  required_providers {
    elasticstack = {
      source  = "elastic/elasticstack"
      version = ">= 0.13.0"
    }
  }
}

variable "kibana_url" {
  description = "Where Kibana is, as in https://kibana.example.com:5601"
  type        = string
}

variable "kibana_api_key" {
  description = "An API key that does not expire: rules that are changed with it stop when it is gone"
  type        = string
  sensitive   = true
}

variable "webhook_url" {
  description = "The tenant's webhook, as in https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID"
  type        = string
}

variable "parapet_token" {
  description = "The service token, pst_..."
  type        = string
  sensitive   = true
}

variable "secret_headers" {
  description = "Kibana 9.2 and newer encrypts the token. Older ones keep it in the clear: then false, or better kibana.yml"
  type        = bool
  default     = true
}

locals {
  content_type  = { "Content-Type" = "application/json" }
  authorization = { "Authorization" = "Bearer ${var.parapet_token}" }
}

provider "elasticstack" {
  kibana {
    endpoints = [var.kibana_url]
    api_key   = var.kibana_api_key
  }
}

resource "elasticstack_kibana_action_connector" "parapet_security" {
  name              = "Parapet Security"
  connector_type_id = ".webhook"

  config = jsonencode({
    url     = var.webhook_url
    method  = "post"
    hasAuth = false
    # Both branches of a condition must have one type, so what is not wanted is filtered out instead.
    headers = merge(local.content_type, { for name, value in local.authorization : name => value if !var.secret_headers })
  })

  secrets = var.secret_headers ? jsonencode({ secretHeaders = local.authorization }) : jsonencode({})
}

resource "elasticstack_kibana_security_detection_rule" "example" {
  name        = "Suspicious PowerShell Execution"
  description = "An example of a rule that sends each of its alerts"
  type        = "query"
  query       = "process.name : powershell.exe and process.args : *enc*"
  language    = "kuery"
  index       = ["logs-*"]
  severity    = "high"
  risk_score  = 75
  enabled     = true

  actions = [
    {
      action_type_id = ".webhook"
      id             = elasticstack_kibana_action_connector.parapet_security.connector_id
      group          = "default"
      params = jsonencode({
        body = file("${path.module}/../../templates/basic.mustache")
      })
      frequency = {
        summary     = false
        notify_when = "onActiveAlert"
        throttle    = "no_actions"
      }
    }
  ]
}

output "connector_id" {
  description = "For parapet-elastic --connector-id"
  value       = elasticstack_kibana_action_connector.parapet_security.connector_id
}
