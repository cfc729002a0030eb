"""What goes in and out over HTTP: these models are the OpenAPI document. One file a noun."""
