"""Adds a line to a document over the JSON protocol: `python client.py "A line"`.

Needs IZANAGI_URL, IZANAGI_TOKEN and IZANAGI_DOCUMENT. A program that only adds text needs no CRDT library: `insertion`
makes the update by itself.
"""

import base64
import json
import os
import random
import sys
import urllib.request
import uuid

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def varuint(number):
    """Seven bits a byte, lowest first."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def string(text):
    encoded = text.encode()
    return varuint(len(encoded)) + encoded


def insertion(client, clock, text):
    """A Yjs update (v1) that inserts `text`, and the client's next clock.

    Clocks count UTF-16 code units. The client's first text stands beside what others wrote; each further one follows
    the one before.
    """
    item = bytes([0x04])  # An item with text, without neighbours: a part of the root named `content`.
    place = varuint(1) + string("content")
    if clock > 0:
        item = bytes([0x84])  # An item with text, behind the last one of the same client.
        place = varuint(client) + varuint(clock - 1)
    one, nothing_deleted = varuint(1), varuint(0)
    update = one + one + varuint(client) + varuint(clock) + item + place + string(text) + nothing_deleted
    return update, clock + len(text.encode("utf-16-le")) // 2


def main():
    url = os.environ.get("IZANAGI_URL", "http://localhost:7999")
    token, document = os.environ["IZANAGI_TOKEN"], os.environ["IZANAGI_DOCUMENT"]
    line = sys.argv[1] if len(sys.argv) > 1 else "A line from Python."
    # A client id that nobody else uses.
    client, clock = random.randrange(1, 2**32), 0

    address = f"{url.replace('http', 'ws', 1)}/ws/documents/{document}?token={token}&displayName=Python%20example"
    with connect(address, max_size=64 * 1024 * 1024) as socket:
        send = lambda message: socket.send(json.dumps(message))
        send({"type": "join", "displayName": "Python example"})
        waiting = {}
        for text in [line, "\n"]:
            update, clock = insertion(client, clock, text)
            # An operation that is sent again after a lost answer has the same id, and is applied once.
            op_id = str(uuid.uuid4())
            waiting[op_id] = text
            send({"type": "update", "opId": op_id, "deltaB64": base64.b64encode(update).decode()})
        try:
            while waiting:
                message = json.loads(socket.recv(timeout=30))
                if message["type"] == "ack" and not message.get("pending"):
                    # It is on disk.
                    print(f"edit {message['seq']}: {waiting.pop(message['opId'])!r}")
                elif message["type"] == "presence" and message.get("cursor"):
                    print(f"{message['displayName']} is here")
                elif message["type"] == "error":
                    sys.exit(f"{message['code']}: {message['message']}")
        except ConnectionClosed as closed:
            sys.exit(f"The server closed the connection: {closed}")

    request = urllib.request.Request(
        f"{url}/api/v1/documents/{document}/content", headers={"authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        print(answer.read().decode(), end="")


if __name__ == "__main__":
    main()
