"""Configuration: one YAML file a service, one a workspace; read once, validated, then trusted."""
