"""A peer in Python: aiortc, numpy and plumbline_wire, nothing of the host.

    wire_peer.py client PORT [HOW]     the detector is a centroid
    wire_peer.py server PORT [HOW]     films a disc; prints `scored N worst E`

HOW makes it a hostile one; see `misbehave` and `film`. It prints the peer's
goodbye as `bye REASON TEXT`, and `closed` when the channel ends without one.
"""

import asyncio
import struct
import sys

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.signaling import BYE, TcpSocketSignaling

import plumbline_wire as wire


def say(*words):
    print(*words, flush=True)


def centroid(image):
    bright = image.max(axis=2) > 100
    if not bright.any():
        return "nothing"
    ys, xs = np.nonzero(bright)
    radius = float(np.sqrt(bright.sum() / np.pi))
    return [wire.Estimate(float(xs.mean()), float(ys.mean()), radius, 1.0)]


def disc(x, y, radius, width=160, height=120):
    ys, xs = np.mgrid[0:height, 0:width]
    rim = np.clip(radius + 0.5 - np.hypot(xs - x, ys - y), 0, 1)
    return np.repeat((rim * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)


def misbehave(how, channel, frame):
    """What a hostile client says to its third frame."""
    answer = lambda i: channel.send(wire.encode(wire.Answer(i, "nothing", 1)))
    if how == "garbage":
        channel.send(b"\xff" * 100)
    elif how == "unknown-message":
        channel.send(struct.pack("<I", 77))
    elif how == "wrong-role":
        channel.send(struct.pack("<IQQ", 2, frame.id, 0) + b"x")
    elif how == "strange-answers":
        answer(frame.id)
        answer(frame.id)
        answer(1 << 60)


async def client(channel, how, done):
    hello = wire.Hello("python", wire.ClientInfo("centroid", max_in_flight=4))
    if how == "mute":
        return
    if how == "wrong-version":
        hello.version = (9, 3)
    channel.send(wire.encode(hello))
    frames = wire.Reassembler()

    @channel.on("message")
    def on_message(data):
        message = wire.decode(data)
        if isinstance(message, wire.Bye):
            say("bye", message.reason, message.text)
            channel.send(wire.encode(wire.Bye(wire.COMPLETED)))
            return done.set()
        if not isinstance(message, (wire.Frame, wire.Fragment)):
            return None
        whole = frames.push(message)
        if whole is None:
            return None
        frame, image = whole
        if how and frame.id == 2:
            misbehave(how, channel, frame)
        else:
            channel.send(wire.encode(wire.Answer(frame.id, centroid(image), 1000)))
        return None


def film(how, channel, n):
    """Sends frame n; a hostile server's third frame is a lie."""
    x, y = 60 + 1.25 * n, 50 + 0.5 * n
    messages = list(wire.frame_messages(n, n, disc(x, y, 20), 16384))
    if how and n == 2:
        if how == "out-of-order":
            messages[1], messages[2] = messages[2], messages[1]
        elif how == "too-much":
            messages.append(messages[-1])
        elif how == "huge":
            header = struct.pack("<IQQIIIIQ", 1, n, n, 8192, 8192, 2, 0, 3 * 8192 * 8192)
            messages = [header + b"x"]
        elif how == "lying":
            header = struct.pack("<IQQIIIIQ", 1, n, n, 65536, 65536, 2, 0, 1 << 40)
            messages = [header + b"x"]
    for message in messages:
        channel.send(message)
    say("sent", n)
    return x, y


async def server(channel, how, done, frames=20):
    hello = wire.Hello("python", wire.SceneInfo(160, 120, wire.BGR8, frames=frames))
    if how == "wrong-version":
        hello.version = (9, 3)
    channel.send(wire.encode(hello))
    truth, errors = {}, []
    answered = asyncio.Queue()

    @channel.on("message")
    def on_message(data):
        message = wire.decode(data)
        if isinstance(message, wire.Bye):
            say("bye", message.reason, message.text)
            done.set()
        answered.put_nowait(message)

    assert isinstance(await answered.get(), wire.Hello)
    for n in range(frames):
        truth[n] = film(how, channel, n)
        answer = await answered.get()
        if not isinstance(answer, wire.Answer):
            return
        x, y = truth[answer.id]
        if not isinstance(answer.found, list):
            continue
        best = answer.found[0]
        errors.append(abs(best.x - x) + abs(best.y - y))
    say("scored", len(errors), "worst", round(max(errors), 4))
    channel.send(wire.encode(wire.Bye(wire.COMPLETED)))


async def main(role, port, how):
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    signaling = TcpSocketSignaling("127.0.0.1", port)
    done = asyncio.Event()

    if role == "client":

        @pc.on("datachannel")
        async def on_datachannel(channel):
            channel.on("close", lambda: (say("closed"), done.set()))
            await client(channel, how, done)

        await pc.setRemoteDescription(await signaling.receive())
        await pc.setLocalDescription(await pc.createAnswer())
        await signaling.send(pc.localDescription)
    else:
        channel = pc.createDataChannel("frames")
        channel.on("close", lambda: (say("closed"), done.set()))
        channel.on("open", lambda: asyncio.ensure_future(server(channel, how, done)))
        await pc.setLocalDescription(await pc.createOffer())
        say("listening")
        await signaling.send(pc.localDescription)
        answer = await signaling.receive()
        assert isinstance(answer, RTCSessionDescription), answer
        await pc.setRemoteDescription(answer)

    over = asyncio.ensure_future(signaling.receive())
    await asyncio.wait([asyncio.ensure_future(done.wait()), over], return_when="FIRST_COMPLETED", timeout=60)
    await asyncio.sleep(0.2)
    await signaling.send(BYE)
    await signaling.close()
    await pc.close()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
