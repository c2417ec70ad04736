"""Plumbline's wire format, written from docs/wire.md alone.

Used by the Python peers of the tests. Run as a program it checks itself
against the examples of docs/wire.md:

    python3 tests/python/plumbline_wire.py docs/wire.md
"""

import math
import struct
from dataclasses import dataclass, field

import numpy as np

MAGIC = b"PLMB"
VERSION = (1, 0)
MAX_CONTROL = 16384
MAX_SIDE = 8192
MAX_COORDINATE = 1e6
FRAME_HEADER = 44
FRAGMENT_HEADER = 20

GRAY8, BGR8 = 1, 2
CHANNELS = {GRAY8: 1, BGR8: 3}
EVERY_FRAME, LATEST = 0, 1
COMPLETED, INTERRUPTED, UNSUPPORTED, VIOLATION, FAILED = range(5)


class WireError(Exception):
    """The peer sent something that is against the protocol."""


@dataclass
class SceneInfo:
    width: int
    height: int
    format: int
    fps: float = 0.0
    seed: int = 0
    frames: int = 0


@dataclass
class ClientInfo:
    detector: str
    policy: int = EVERY_FRAME
    max_in_flight: int = 0
    max_frame_bytes: int = 3 * MAX_SIDE * MAX_SIDE
    formats: list = field(default_factory=lambda: [GRAY8, BGR8])
    codecs: list = field(default_factory=lambda: [0])


@dataclass
class Hello:
    software: str
    side: object
    features: list = field(default_factory=list)
    version: tuple = VERSION


@dataclass
class Frame:
    """The first message of a frame; `pixels` is its tail."""

    id: int
    captured_ns: int
    width: int
    height: int
    format: int
    payload_len: int
    pixels: bytes
    codec: int = 0


@dataclass
class Fragment:
    id: int
    offset: int
    pixels: bytes


@dataclass
class Estimate:
    x: float
    y: float
    radius: float = math.nan
    score: float = math.nan
    covariance: tuple = None


@dataclass
class Answer:
    """`found` is a list of estimates, or one of "nothing", "dropped", ("failed", reason)."""

    id: int
    found: object
    detect_ns: int = 0


@dataclass
class Bye:
    reason: int
    text: str = ""


def _text(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _numbers(numbers):
    return struct.pack(f"<Q{len(numbers)}I", len(numbers), *numbers)


def encode(message):
    """The bytes of a message."""
    if isinstance(message, Hello):
        parts = [struct.pack("<I4sHH", 0, MAGIC, *message.version), _text(message.software)]
        parts.append(struct.pack("<Q", len(message.features)))
        parts += [_text(name) for name in message.features]
        side = message.side
        if isinstance(side, SceneInfo):
            parts.append(struct.pack("<IIIIdQQ", 0, side.width, side.height, side.format,
                                     side.fps, side.seed, side.frames))
        else:
            parts += [struct.pack("<I", 1), _text(side.detector),
                      struct.pack("<IIQ", side.policy, side.max_in_flight, side.max_frame_bytes),
                      _numbers(side.formats), _numbers(side.codecs)]
        return b"".join(parts)
    if isinstance(message, Frame):
        m = message
        return struct.pack("<IQQIIIIQ", 1, m.id, m.captured_ns, m.width, m.height, m.format,
                           m.codec, m.payload_len) + bytes(m.pixels)
    if isinstance(message, Fragment):
        return struct.pack("<IQQ", 2, message.id, message.offset) + bytes(message.pixels)
    if isinstance(message, Answer):
        head = struct.pack("<IQ", 3, message.id)
        tail = struct.pack("<Q", message.detect_ns)
        found = message.found
        if found == "nothing":
            return head + struct.pack("<I", 1) + tail
        if found == "dropped":
            return head + struct.pack("<I", 2) + tail
        if isinstance(found, tuple):
            return head + struct.pack("<I", 3) + _text(found[1]) + tail
        body = struct.pack("<IQ", 0, len(found))
        for e in found:
            body += struct.pack("<dddd", e.x, e.y, e.radius, e.score)
            body += b"\0" if e.covariance is None else b"\1" + struct.pack("<6d", *e.covariance)
        return head + body + tail
    if isinstance(message, Bye):
        text = _text(message.text) if message.reason >= UNSUPPORTED else b""
        return struct.pack("<II", 4, message.reason) + text
    raise TypeError(f"not a message: {message!r}")


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def unpack(self, form):
        size = struct.calcsize("<" + form)
        if self.at + size > len(self.data):
            raise WireError(f"the message ends at byte {len(self.data)}")
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return values if len(values) > 1 else values[0]

    def text(self, limit):
        size = self.unpack("Q")
        if size > limit:
            raise WireError(f"a text of {size} bytes, at most {limit} are allowed")
        return self.unpack(f"{size}s").decode() if size else ""

    def count(self, limit):
        count = self.unpack("Q")
        if count > limit:
            raise WireError(f"a list of {count}, at most {limit} are allowed")
        return count


def decode(data):
    """The message in `data`; raises `WireError`."""
    r = _Reader(data)
    kind = r.unpack("I")
    if kind not in (1, 2) and len(data) > MAX_CONTROL:
        raise WireError(f"a message of {len(data)} bytes")
    if kind == 0:
        magic, major, minor = r.unpack("4sHH")
        if magic != MAGIC:
            raise WireError("the peer does not speak this protocol")
        if major != VERSION[0]:
            raise WireError(f"the peer speaks version {major}.{minor}, this side {VERSION}")
        software = r.text(128)
        features = [r.text(128) for _ in range(r.count(32))]
        role = r.unpack("I")
        if role == 0:
            side = SceneInfo(*r.unpack("IIIdQQ"))
        elif role == 1:
            detector = r.text(128)
            policy, in_flight, frame_bytes = r.unpack("IIQ")
            formats = [r.unpack("I") for _ in range(r.count(16))]
            codecs = [r.unpack("I") for _ in range(r.count(16))]
            side = ClientInfo(detector, policy, in_flight, frame_bytes, formats, codecs)
        else:
            raise WireError(f"unknown role {role}")
        return Hello(software, side, features, (major, minor))
    if kind == 1:
        frame_id, captured, width, height, form, codec, length = r.unpack("QQIIIIQ")
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise WireError(f"a frame of {width} x {height}")
        if codec != 0 or form not in CHANNELS:
            raise WireError(f"codec {codec}, format {form}")
        if length != width * height * CHANNELS[form]:
            raise WireError(f"{length} bytes for {width} x {height}, format {form}")
        return Frame(frame_id, captured, width, height, form, length, data[r.at:], codec)
    if kind == 2:
        frame_id, offset = r.unpack("QQ")
        return Fragment(frame_id, offset, data[r.at:])
    if kind == 3:
        frame_id, finding = r.unpack("QI")
        if finding == 0:
            found = []
            for _ in range(r.count(64)):
                x, y, radius, score, has = r.unpack("ddddB")
                if not (abs(x) <= MAX_COORDINATE and abs(y) <= MAX_COORDINATE):
                    raise WireError(f"a centre at {x}, {y}")
                if has > 1:
                    raise WireError(f"option tag {has}")
                found.append(Estimate(x, y, radius, score, r.unpack("6d") if has else None))
            if not found:
                raise WireError("found, but no estimate")
        elif finding in (1, 2):
            found = ("nothing", "dropped")[finding - 1]
        elif finding == 3:
            found = ("failed", r.text(1024))
        else:
            raise WireError(f"unknown finding {finding}")
        message = Answer(frame_id, found, r.unpack("Q"))
    elif kind == 4:
        reason = r.unpack("I")
        if reason > FAILED:
            raise WireError(f"unknown reason {reason}")
        message = Bye(reason, r.text(1024) if reason >= UNSUPPORTED else "")
    else:
        raise WireError(f"unknown message {kind}")
    if r.at != len(data):
        raise WireError(f"{len(data) - r.at} bytes too many")
    return message


def frame_messages(frame_id, captured_ns, image, max_message):
    """The messages of a picture: (height, width) uint8 is gray8, (height, width, 3) bgr8."""
    image = np.ascontiguousarray(image, dtype=np.uint8)
    height, width = image.shape[:2]
    pixels = image.tobytes()
    first = max_message - FRAME_HEADER
    yield encode(Frame(frame_id, captured_ns, width, height, GRAY8 if image.ndim == 2 else BGR8,
                       len(pixels), pixels[:first]))
    step = max_message - FRAGMENT_HEADER
    for offset in range(first, len(pixels), step):
        yield encode(Fragment(frame_id, offset, pixels[offset:offset + step]))


class Reassembler:
    """Takes frame and fragment messages in order; returns (Frame, image) when one is whole."""

    def __init__(self):
        self.header, self.pixels, self.last = None, bytearray(), -1

    def push(self, message):
        if isinstance(message, Frame):
            if self.header is not None:
                raise WireError(f"frame {message.id} begins inside frame {self.header.id}")
            if message.id <= self.last:
                raise WireError(f"frame {message.id} after frame {self.last}")
            self.header, self.pixels, self.last = message, bytearray(), message.id
        elif self.header is None or message.id != self.header.id:
            raise WireError(f"a fragment of frame {message.id}, which is not being received")
        elif message.offset != len(self.pixels):
            raise WireError(f"byte {message.offset} after byte {len(self.pixels)}")
        self.pixels += message.pixels
        if not message.pixels or len(self.pixels) > self.header.payload_len:
            raise WireError(f"frame {message.id} with {len(self.pixels)} bytes")
        if len(self.pixels) < self.header.payload_len:
            return None
        header, self.header = self.header, None
        shape = (header.height, header.width)
        if header.format == BGR8:
            shape += (3,)
        return header, np.frombuffer(bytes(self.pixels), np.uint8).reshape(shape)


EXAMPLES = {
    "hello-server": Hello("plumbline 0.1.0", SceneInfo(640, 480, GRAY8, 60.0, 7, 300)),
    "hello-client": Hello("py 1", ClientInfo("hough", LATEST, 4, 201326592), ["x"]),
    "frame": Frame(258, 10**9, 3, 2, GRAY8, 6, b"\1\2\3\4"),
    "fragment": Fragment(258, 4, b"\5\6"),
    "answer-found": Answer(258, [
        Estimate(281.5, 60.25, 20.0, 0.75),
        Estimate(281.5, 60.25, 20.0, 0.75, (0.25, 0.0, -0.5, 0.25, 0.0, 1.0)),
    ], 1500000),
    "answer-nothing": Answer(258, "nothing", 1500000),
    "answer-dropped": Answer(258, "dropped"),
    "answer-failed": Answer(258, ("failed", "no")),
    "bye-completed": Bye(COMPLETED),
    "bye-violation": Bye(VIOLATION, "\u00e9"),
}


def page_examples(page):
    """The hexadecimal examples of docs/wire.md, by name."""
    examples, name = {}, None
    for line in page.splitlines():
        if line.startswith("```hex "):
            name = line[len("```hex "):]
            examples[name] = b""
        elif line == "```":
            name = None
        elif name:
            examples[name] += bytes.fromhex(line.split("#")[0])
    return examples


def self_test(page):
    """Checks this module against the examples of docs/wire.md, and itself."""
    examples = page_examples(page)
    assert examples.keys() == EXAMPLES.keys(), examples.keys() ^ EXAMPLES.keys()
    for name, message in EXAMPLES.items():
        assert encode(message) == examples[name], f"{name}: {encode(message).hex(' ')}"
        assert decode(examples[name]) == message, f"{name}: {decode(examples[name])}"
    for shape in [(37, 53), (41, 29, 3)]:
        image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        reassembler, whole = Reassembler(), None
        for data in frame_messages(5, 9, image, 1200):
            assert len(data) <= 1200 and whole is None
            whole = reassembler.push(decode(data))
        assert whole[0].id == 5 and np.array_equal(whole[1], image)
        try:
            reassembler.push(decode(next(frame_messages(5, 9, image, 1200))))
        except WireError:
            pass
        else:
            raise AssertionError("a frame was accepted twice")


if __name__ == "__main__":
    import sys

    with open(sys.argv[1], encoding="utf-8") as page_file:
        self_test(page_file.read())
    print(f"{len(EXAMPLES)} examples agree")
