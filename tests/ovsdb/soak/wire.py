# SPDX-License-Identifier: Apache-2.0

"""JSON-RPC over a Unix socket, and the values of OVSDB as Python's."""

import asyncio
import itertools
import json


class Gone(Exception):
    """The connection has ended."""


class Connection:
    """Requests and notifications.  Whoever pauses it reads nothing."""

    def __init__(self, reader, writer, notify):
        self.reader, self.writer, self.notify = reader, writer, notify
        self.waiting = {}
        self.ids = itertools.count(1)
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.is_open = True
        self.task = asyncio.ensure_future(self.read())

    @staticmethod
    async def open(path, notify=None):
        reader, writer = await asyncio.open_unix_connection(
            path, limit=65536)
        return Connection(reader, writer, notify)

    async def call(self, method, *params):
        """The reply's result; an error is an exception."""
        number = next(self.ids)
        reply = asyncio.get_running_loop().create_future()
        if not self.is_open:
            raise Gone
        self.waiting[number] = reply
        self.writer.write(json.dumps(
            {"id": number, "method": method, "params": params}).encode())
        return await reply

    def close(self):
        self.is_open = False
        self.writer.close()
        self.task.cancel()
        for reply in self.waiting.values():
            if not reply.done():
                reply.set_exception(Gone())
                reply.exception()
        self.waiting.clear()

    async def read(self):
        decoder = json.JSONDecoder()
        pieces, size, tried = [], 0, 0
        try:
            while True:
                await self.may_read.wait()
                piece = await self.reader.read(1 << 16)
                if not piece:
                    break
                pieces.append(piece)
                size += len(piece)
                # A long message is not tried again for each piece of it.
                if not piece.endswith(b"}") and size < 2 * tried:
                    continue
                text = b"".join(pieces).decode(errors="ignore") \
                    if not _cut(piece) else None
                if text is None:
                    continue
                at = 0
                while at < len(text):
                    try:
                        message, at = decoder.raw_decode(text, at)
                    except json.JSONDecodeError:
                        break
                    self.take(message)
                rest = text[at:].encode()
                pieces, size, tried = [rest], len(rest), len(rest)
        except (ConnectionError, OSError):
            pass
        finally:
            self.close()

    def take(self, message):
        if message.get("method") == "echo":
            self.writer.write(json.dumps(
                {"id": message["id"], "error": None,
                 "result": message["params"]}).encode())
        elif message.get("method"):
            self.notify(message["method"], message["params"])
        else:
            reply = self.waiting.pop(message["id"])
            if message["error"] is not None:
                reply.set_exception(RuntimeError(message["error"]))
            else:
                reply.set_result(message["result"])


def _cut(piece):
    """Does the piece end within a character?"""
    return piece[-1] >= 0x80


SCHEMA = {
    "name": "soak", "version": "1.0.0", "tables": {"Item": {
        "isRoot": True, "indexes": [["key"]], "columns": {
            "key": {"type": "integer"},
            "writer": {"type": "integer"},
            "text": {"type": "string"},
            "tags": {"type": {"key": "integer", "min": 0,
                              "max": "unlimited"}},
            "props": {"type": {"key": "string", "value": "string",
                               "min": 0, "max": "unlimited"}}}}}}
COLUMNS = ("key", "writer", "text", "tags", "props")
DEFAULTS = {"key": 0, "writer": 0, "text": "", "tags": frozenset(),
            "props": {}}


def value_of(column, value):
    """JSON to Python's."""
    if column == "tags":
        return frozenset(value[1] if isinstance(value, list) else [value])
    if column == "props":
        return dict(value[1])
    return value


def json_of(column, value):
    if column == "tags":
        return ["set", sorted(value)]
    if column == "props":
        return ["map", sorted(value.items())]
    return value


def row_of(columns):
    """A row, with defaults for the columns that are left out."""
    return {c: value_of(c, columns[c]) if c in columns else DEFAULTS[c]
            for c in COLUMNS}


def merge(row, difference):
    """What the row becomes by a <row-update2>'s "modify"."""
    row = dict(row)
    for column, value in difference.items():
        value = value_of(column, value)
        if column == "tags":
            row[column] = row[column] ^ value
        elif column == "props":
            props = dict(row[column])
            for key, new in value.items():
                if props.get(key) == new:
                    del props[key]
                else:
                    props[key] = new
            row[column] = props
        else:
            row[column] = value
    return row
