"""Prebuilt frames are what a WebSocket library reads."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from amarktai.realtime.frames import encode, text_frame

#: Lengths around the borders of the three header forms.
lengths = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000]) | st.integers(0, 300)


@given(lengths)
def test_a_frame_is_read_back_by_an_independent_library(length: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    payload = b"x" * length
    frame = text_frame(payload)
    assert frame[0] == 0x80 | Opcode.TEXT and not frame[1] & 0x80
    client.receive_data(frame)
    read = "".join(event.data for event in client.events() if isinstance(event, TextMessage))
    assert read == payload.decode()


@given(
    st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53) | st.none()), st.integers(0, 2**62)
)
def test_both_forms_carry_the_same_message(fields: dict[str, object], seq: int) -> None:
    message = {**fields, "type": "alert", "seq": seq}
    frame = encode(message, seq=seq)
    head, data = frame.sse.split(b"\ndata: ", 1)
    assert head == b"id: %d\nevent: alert" % seq and data.endswith(b"\n\n") and data.count(b"\n") == 2
    assert orjson.loads(data) == message
    assert frame.websocket.endswith(data.rstrip(b"\n"))
