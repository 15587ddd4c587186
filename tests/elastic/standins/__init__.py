"""Stand-ins for Kibana and for a tenant that receives from it. Nothing here may be imported by the product."""
