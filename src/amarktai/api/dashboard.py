"""The built dashboard as it is served: a fixed list of files, precompressed, cached by what they are."""

from __future__ import annotations

import hashlib
import html
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from amarktai.api.build import STAMP

BUILD_COMMAND: Final = "python -m tools.build_ui"
#: Vite puts files whose name holds their content's hash here; they never change.
_HASHED: Final = "assets/"
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_MISSING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Amarktai</title></head>
<body><h1>The dashboard is not built</h1>
<p>The API works. This command builds the dashboard; then reload this page:</p>
<pre>{command}</pre></body></html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file with its compressed forms."""

    name: str
    media_type: str
    etag: str
    plain: bytes
    compressed: dict[str, bytes]

    @property
    def cache_control(self) -> str:
        return "public, max-age=31536000, immutable" if self.name.startswith(_HASHED) else "no-cache"


class Dashboard:
    """Serves the files that were there when the build was last stamped, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = -1
        self._assets: dict[str, Asset] = {}

    def respond(self, request: Request) -> Response:
        """Return the file, the index for any page of the single-page application, or how to build it."""
        self._refresh()
        index = self._assets.get("index.html")
        if index is None:
            return HTMLResponse(_MISSING.format(command=html.escape(BUILD_COMMAND)), 503)
        name = request.url.path.lstrip("/")
        asset = self._assets.get(name)
        if asset is None and (name.startswith(_HASHED) or "." in name.rsplit("/", 1)[-1]):
            return Response("Not found\n", 404, media_type="text/plain")
        return _answer(request, asset or index)

    def _refresh(self) -> None:
        stamp = self._folder / STAMP
        marker = stamp if stamp.exists() else self._folder / "index.html"
        modified = marker.stat().st_mtime_ns if marker.exists() else 0
        if modified != self._stamp:
            self._assets = _scan(self._folder)
            self._stamp = modified


def _scan(folder: Path) -> dict[str, Asset]:
    assets = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.suffix in (".br", ".gz") or name.startswith("."):
            continue
        plain = path.read_bytes()
        compressed = {
            encoding: other.read_bytes()
            for encoding, suffix in _ENCODINGS
            if (other := path.with_name(path.name + suffix)).is_file()
        }
        guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        media_type = _TYPES.get(path.suffix, guessed)
        etag = hashlib.sha256(plain).hexdigest()[:32]
        assets[name] = Asset(name, media_type, etag, plain, compressed)
    return assets


def _answer(request: Request, asset: Asset) -> Response:
    accepted = _accepted(request.headers.get("accept-encoding", ""))
    encoding = next((name for name in asset.compressed if name in accepted), None)
    etag = f'"{asset.etag}{"-" + encoding if encoding else ""}"'
    headers = {"ETag": etag, "Cache-Control": asset.cache_control, "Vary": "Accept-Encoding"}
    known = request.headers.get("if-none-match", "")
    if etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status_code=304, headers=headers)
    body = asset.plain
    if encoding is not None:
        headers["Content-Encoding"] = encoding
        body = asset.compressed[encoding]
    if request.method == "HEAD":
        return Response(None, 200, {**headers, "Content-Length": str(len(body))}, asset.media_type)
    return Response(body, 200, headers, asset.media_type)


def _accepted(header: str) -> set[str]:
    """Return the content codings that the client takes (RFC 9110 §12.5.3), those with q=0 left out."""
    accepted = set()
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(
            parameter.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters
        ):
            accepted.add(name)
    return accepted
