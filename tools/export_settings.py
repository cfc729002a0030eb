"""Write docs/settings.md from the settings' own descriptions.

Usage: python tools/export_settings.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from amarktai.config import PREFIX, Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """# Settings

<!-- Written by tools/export_settings.py from src/amarktai/config.py. -->

Each setting is an environment variable or a line in one TOML file: `amarktai.toml` in the data folder, or
the file that `AMARKTAI_CONFIG` names. A variable wins over the file, and the command line wins over both.
Unknown names are refused with the nearest right one. In variables, lists and tables are written as JSON:
`AMARKTAI_BOT_CAPS='{"luno": 3}'`; in the file as TOML:

```toml
port = 8100
public_origins = ["https://trade.example.org"]
[bot_caps]
luno = 3
```

| Variable (in the file: the name without prefix, in small letters) | Default | Meaning |
|---|---|---|
"""

_TAIL = """
## Behind a proxy, for other machines

The platform binds to this machine only. To reach it from elsewhere, put a reverse proxy with TLS in front and
set `AMARKTAI_HOST`, `AMARKTAI_BEHIND_TLS_PROXY=true` and the proxy's address in `AMARKTAI_TRUSTED_PROXIES`.
A host that is not loopback is refused without that.

## An external PostgreSQL

Without `AMARKTAI_DATABASE_URL` the platform runs its own PostgreSQL in the data folder. An external server
(version 15 or newer) needs three roles and one database, made once by its superuser:

```sql
CREATE ROLE owner   LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…';
CREATE ROLE app     LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…';
CREATE ROLE auditor LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…';
CREATE DATABASE amarktai OWNER owner ENCODING 'UTF8';
REVOKE ALL ON DATABASE amarktai FROM PUBLIC;
GRANT CONNECT ON DATABASE amarktai TO app, auditor;
\\c amarktai
ALTER SCHEMA public OWNER TO owner;
```

`AMARKTAI_DATABASE_URL` logs in as `app`, `AMARKTAI_DATABASE_OWNER_URL` as `owner`. At start the platform
migrates as `owner`, then connects as `app` and refuses to run if that role is superuser, bypasses
row-level security, owns a table or sees any user's row without a tenant. When the server is
on another machine, use TLS (`?sslmode=verify-full`).
"""


def render() -> str:
    """Return the page as it should be."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, dict)):
        return f"`{json.dumps(value)}`"
    return f"`{value}`"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == render() else "docs/settings.md is not up to date")
    PAGE.write_text(render(), encoding="utf-8")
