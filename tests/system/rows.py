#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Pushes CA-PA rows into an OVSDB server, as a controller would that has many.

    rows.py SOCKET N PER-TRANSACTION [GUID MAC PA OTHER-PA]

Makes one subnet (VSID 5001, 10.0.0.0/8, gateway 10.0.0.1) with N rows: row i
has the address 10.0.0.2 + i.  Row 0 is the local VM's; the others live behind
OTHER-PA.  Then asks for the policy to be in force, if there is somebody who
puts it in force (GUID given).  Prints "seconds S": from the first byte to the
answer to the last transaction, and "in_force_seconds S".
"""

import json
import socket
import sys
import time


class Server:
    """A JSON-RPC connection on which one request is under way at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = ""
        self.decoder = json.JSONDecoder()
        self.id = 0

    def read(self):
        while True:
            text = self.buffer.lstrip()
            try:
                message, end = self.decoder.raw_decode(text)
                self.buffer = text[end:]
                return message
            except json.JSONDecodeError:
                data = self.socket.recv(1 << 20)
                if not data:
                    sys.exit("the server hung up")
                self.buffer += data.decode()

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode())

    def transact(self, database, operations):
        self.id += 1
        self.send({"method": "transact", "id": self.id,
                   "params": [database] + operations})
        while True:
            reply = self.read()
            if reply.get("method") == "echo":
                self.send({"id": reply["id"], "result": reply["params"],
                           "error": None})
            elif reply.get("id") == self.id:
                break
        if reply.get("error"):
            sys.exit(f"refused: {reply['error']}")
        for result in reply["result"]:
            if result and "error" in result:
                sys.exit(f"refused: {result}")
        return reply["result"]


def address(i):
    n = (10 << 24) + 2 + i
    return ".".join(str(n >> shift & 255) for shift in (24, 16, 8, 0))


def mac(i):
    return f"02-{i >> 32 & 255:02x}-" + "-".join(
        f"{i >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def insert(table, row, name=None):
    operation = {"op": "insert", "table": table, "row": row}
    if name:
        operation["uuid-name"] = name
    return operation


def main():
    path, n, per_transaction = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    guid, vm_mac, pa, other_pa = (sys.argv[4:8] if len(sys.argv) > 4 else
                                  (None, mac(0), "192.0.2.1", "192.0.2.2"))
    server = Server(path)
    operations = [
        insert("Logical_Switch", {"name": "5001", "tunnel_key": 5001}, "s"),
        insert("Logical_Router", {
            "name": "r", "enable_logical_router": True,
            "switch_binding": ["map", [["10.0.0.0/8",
                                        ["named-uuid", "s"]]]]}),
        insert("Physical_Locator", {
            "encapsulation_type": "vxlan_over_ipv4", "dst_ip": pa}, "l0"),
        insert("Physical_Locator", {
            "encapsulation_type": "vxlan_over_ipv4", "dst_ip": other_pa},
            "l1"),
        # So that no locator is ever without a reference.
        insert("Ucast_Macs_Remote", {
            "MAC": vm_mac, "ipaddr": address(0), "mapping_type": "default",
            "logical_switch": ["named-uuid", "s"],
            "locator": ["named-uuid", "l0"]}),
        insert("Ucast_Macs_Remote", {
            "MAC": mac(1), "ipaddr": address(1), "mapping_type": "default",
            "logical_switch": ["named-uuid", "s"],
            "locator": ["named-uuid", "l1"]}),
        insert("Physical_Port", {
            "name": "{%s}" % (guid or "none"),
            "vlan_bindings": ["map", [[0, ["named-uuid", "s"]]]]}, "p"),
        insert("Physical_Switch", {
            "name": "hnv0", "ports": ["named-uuid", "p"]}, "ps"),
        insert("Global", {"switches": ["named-uuid", "ps"],
                          "next_cfg": 0, "cur_cfg": 0}),
    ]
    start = time.monotonic()
    results = server.transact("ms_vtep", operations)
    subnet, locator = results[0]["uuid"], results[3]["uuid"]
    for first in range(2, n, per_transaction):
        server.transact("ms_vtep", [
            insert("Ucast_Macs_Remote", {
                "MAC": mac(i), "ipaddr": address(i),
                "mapping_type": "default", "logical_switch": subnet,
                "locator": locator})
            for i in range(first, min(first + per_transaction, n))])
    print(f"seconds {time.monotonic() - start:.3f}")
    if guid:
        server.transact("ms_vtep", [
            {"op": "update", "table": "Global", "where": [],
             "row": {"next_cfg": n}}])
        server.transact("ms_vtep", [
            {"op": "wait", "table": "Global", "where": [],
             "columns": ["cur_cfg"], "until": "==", "timeout": 60000,
             "rows": [{"cur_cfg": n}]}])
        print(f"in_force_seconds {time.monotonic() - start:.3f}")


if __name__ == "__main__":
    main()
