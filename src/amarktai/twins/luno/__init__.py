"""Luno's twin, after "Luno API (1.2.5)" at www.luno.com/en/developers/api and its OpenAPI document."""
