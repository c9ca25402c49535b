"""Every registered transport keeps its promises: captured calls decode, anything else is a named
refusal, and what it sends can be read back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.transports import REGISTRY, mulaw
from voiceops.core.errors import TransportError
from voiceops.core.events import WireAudio, WireDtmf, WireEvent, WireMark, WireStarted, WireStopped, WireText
from voiceops.core.ports import Codec

CAPTURES = Path(__file__).parents[1] / "captures"
CALLS = {"twilio": "twilio_inbound_call", "browser": "browser_typed_call"}


def captured(transport: str) -> list[str]:
    return (CAPTURES / f"{CALLS[transport]}.jsonl").read_text().splitlines()


def in_call(transport: str) -> Codec:
    """A codec whose other side has started."""
    codec: Codec = REGISTRY.load(transport)()
    for message in captured(transport):
        if any(isinstance(event, WireStarted) for event in codec.decode(message)):
            return codec
    raise AssertionError(f"the capture of {transport} never starts")


every_transport = pytest.mark.parametrize("transport", REGISTRY.names())


@every_transport
def test_a_captured_call_decodes_from_start_to_stop(transport: str) -> None:
    codec: Codec = REGISTRY.load(transport)()
    events: list[WireEvent] = [event for message in captured(transport) for event in codec.decode(message)]
    assert isinstance(events[0], WireStarted) and events[0].sample_rate_hz == codec.sample_rate_hz
    assert events[-1] == WireStopped("hangup")
    assert WireMark("turn-0-clause-1") in events or WireMark("turn-1-clause-1") in events
    assert WireDtmf("1") in events
    assert any(isinstance(event, WireAudio | WireText) for event in events)


@every_transport
def test_audio_before_the_start_closes_the_socket(transport: str) -> None:
    codec: Codec = REGISTRY.load(transport)()
    media = captured(transport)[2] if transport == "twilio" else b"\0\0" * 320
    with pytest.raises(TransportError) as refused:
        codec.decode(media)
    assert (refused.value.code, refused.value.permanent) == ("out_of_order", True)


@every_transport
def test_a_second_start_closes_the_socket(transport: str) -> None:
    codec = in_call(transport)
    start = next(message for message in captured(transport) if '"start"' in message)
    with pytest.raises(TransportError) as refused:
        codec.decode(start)
    assert (refused.value.code, refused.value.permanent) == ("start_twice", True)


@every_transport
def test_media_after_the_stop_is_refused(transport: str) -> None:
    codec: Codec = REGISTRY.load(transport)()
    for message in captured(transport):
        codec.decode(message)
    with pytest.raises(TransportError) as refused:
        codec.decode(next(m for m in captured(transport) if '"mark"' in m))
    assert refused.value.code == "out_of_order"


@every_transport
@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "1e999",
        '"text"',
        "{}",
        '{"event":1,"type":1}',
        "\ud800",
        "[" * 3000,
    ],
)
def test_what_is_not_a_message_is_a_refusal_by_name(transport: str, message: str) -> None:
    codec = in_call(transport)
    with pytest.raises(TransportError) as refused:
        codec.decode(message)
    assert refused.value.code in {"malformed_json", "malformed_message"}
    assert not refused.value.permanent


@every_transport
def test_a_megabyte_is_refused_whatever_it_holds(transport: str) -> None:
    for message in ("x" * 2**20, b"\0" * 2**20):
        with pytest.raises(TransportError) as refused:
            in_call(transport).decode(message)
        assert (refused.value.code, refused.value.permanent) == ("frame_too_large", True)


@every_transport
def test_words_of_a_later_version_are_counted_and_ignored(transport: str) -> None:
    codec: Any = in_call(transport)
    assert list(codec.decode('{"event":"whisper","type":"whisper"}')) == []
    assert codec.ignored["whisper"] == 1


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner), max_leaves=8
)
words = st.sampled_from(
    [
        "connected",
        "start",
        "media",
        "mark",
        "dtmf",
        "stop",
        "text",
        "hangup",
        "clear",
        "MZ18ad3ab5a668481ce02b83e7395059f0",
    ]
)
NAMES = [
    "event", "type", "streamSid", "sequenceNumber", "start", "media", "mark", "dtmf", "stop", "name",
    "payload", "callSid", "mediaFormat", "customParameters", "encoding", "sampleRate", "channels", "track",
    "timestamp", "digit", "text", "agent", "sample_rate_hz",
]  # fmt: skip
names = st.sampled_from(NAMES)
known = st.recursive(scalars | words, lambda inner: st.dictionaries(names, inner, max_size=6), max_leaves=12)
shaped = st.fixed_dictionaries(
    {"event": words, "type": words},
    optional={name: known for name in NAMES if name not in {"event", "type"}},
)
messages = st.one_of(
    st.text(), st.binary(max_size=400), values.map(json.dumps), shaped.map(json.dumps), shaped.map(json.dumps)
)


@every_transport
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_no_message_raises_anything_but_a_refusal(transport: str, data: st.DataObject) -> None:
    make: Callable[[], Codec] = data.draw(
        st.sampled_from([REGISTRY.load(transport), lambda: in_call(transport)])
    )
    codec = make()
    for message in data.draw(st.lists(messages, min_size=1, max_size=5)):
        try:
            events = codec.decode(message)
        except TransportError as refused:
            assert refused.code != "error" and str(refused)
        else:
            for event in events:
                if isinstance(event, WireAudio):
                    assert len(event.pcm) % 2 == 0


@given(pcm=st.binary(min_size=2, max_size=800))
def test_sound_survives_the_telephone_to_within_the_code_step(pcm: bytes) -> None:
    pcm = pcm[: len(pcm) // 2 * 2]
    sent = json.loads(str(in_call("twilio").encode(pcm)))["media"]["payload"]
    heard = np.frombuffer(mulaw.decode(base64.b64decode(sent)), "<i2").astype(int)
    said = np.clip(np.frombuffer(pcm, "<i2").astype(int), -32635, 32635)
    assert np.all(np.abs(heard - said) <= np.abs(said) // 16 + 8)


def test_mulaw_agrees_with_the_standard_library() -> None:
    audioop = pytest.importorskip("audioop", reason="Python 3.13 dropped audioop, the reference here")
    codes = bytes(range(256))
    assert mulaw.decode(codes) == audioop.ulaw2lin(codes, 2)
    every = np.arange(-32768, 32768, dtype="<i2").tobytes()
    ours = np.frombuffer(mulaw.decode(mulaw.encode(every)), "<i2").astype(int)
    theirs = np.frombuffer(audioop.ulaw2lin(audioop.lin2ulaw(every, 2), 2), "<i2").astype(int)
    samples = np.arange(-32768, 32768)
    # The two round ties differently; neither may be further from the sample than a code step.
    assert np.all(np.abs(ours - samples) <= np.abs(theirs - samples) + 4)


def change(message: str, path: str, value: Any) -> str:
    body = json.loads(message)
    *parents, last = path.split(".")
    part = body
    for name in parents:
        part = part[name]
    part[last] = value
    return json.dumps(body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("start.mediaFormat.encoding", "audio/x-l16"),
        ("start.mediaFormat.sampleRate", 16000),
        ("start.mediaFormat.channels", 2),
        ("start.mediaFormat", {}),
    ],
)
def test_twilio_audio_of_another_kind_is_refused(path: str, value: Any) -> None:
    codec: Codec = REGISTRY.load("twilio")()
    connected, start = captured("twilio")[:2]
    codec.decode(connected)
    with pytest.raises(TransportError) as refused:
        codec.decode(change(start, path, value))
    assert (refused.value.code, refused.value.permanent) == ("wrong_media_format", True)


@pytest.mark.parametrize("payload", ["%%%", "AAA", "AA==AA==", "ÿÿÿÿ", "=", "AAAA\nAAAA"])
def test_twilio_audio_that_is_not_base64_is_refused_and_the_next_frame_is_heard(payload: str) -> None:
    codec = in_call("twilio")
    first, second = captured("twilio")[2:4]
    with pytest.raises(TransportError) as refused:
        codec.decode(change(first, "media.payload", payload))
    assert (refused.value.code, refused.value.permanent) == ("bad_base64", False)
    assert isinstance(codec.decode(second)[0], WireAudio)


def test_twilio_frames_that_go_back_or_name_another_stream_are_refused() -> None:
    codec = in_call("twilio")
    first, second = captured("twilio")[2:4]
    codec.decode(second)
    for message, code in ((first, "out_of_order"), (change(first, "streamSid", "MZother"), "wrong_stream")):
        with pytest.raises(TransportError) as refused:
            codec.decode(message)
        assert (refused.value.code, refused.value.permanent) == (code, False)


def test_browser_audio_must_be_whole_samples_at_16_khz() -> None:
    codec = in_call("browser")
    assert codec.decode(b"\0\0" * 320) == (WireAudio(b"\0\0" * 320, 0),)
    assert codec.decode(b"\0\0" * 320) == (WireAudio(b"\0\0" * 320, 20),)
    with pytest.raises(TransportError) as odd:
        codec.decode(b"\0\0\0")
    assert odd.value.code == "bad_audio"
    fresh: Codec = REGISTRY.load("browser")()
    with pytest.raises(TransportError) as wrong:
        fresh.decode('{"type":"start","sample_rate_hz":44100}')
    assert (wrong.value.code, wrong.value.permanent) == ("wrong_media_format", True)
