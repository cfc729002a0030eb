"""Answers that are files: CSV, sent as it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi.responses import StreamingResponse

#: For a route's ``responses``: what the file is.
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A CSV file"}
}


async def csv_answer(pieces: AsyncIterator[str], name: str) -> StreamingResponse:
    """Return a download named ``name``.csv; the byte order mark makes spreadsheets read UTF-8.

    The first piece is read before the answer begins, so that what fails at once has an honest status; a
    later failure breaks the connection off, which the browser reports as a failed download.
    """
    first = await anext(pieces)

    async def marked() -> AsyncIterator[bytes]:
        yield b"\xef\xbb\xbf" + first.encode()
        async for piece in pieces:
            yield piece.encode()

    headers = {"Content-Disposition": f'attachment; filename="amarktai-{name}.csv"'}
    return StreamingResponse(marked(), media_type="text/csv", headers=headers)
