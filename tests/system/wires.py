# SPDX-License-Identifier: Apache-2.0

"""Packets into a lab and out of it again, and the rows that they are about.

What is tried with an agent whose VMs send to two provider addresses of one
peer: LAB-peer has them on a wire of its own to the agent's host, which is
192.0.2.1, and behind each is whatever mappings say.
"""

import ctypes
import os
import select
import socket
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rows import insert  # noqa: E402

OWN_PA = "192.0.2.1"
PAS = "192.0.2.2", "192.0.2.3"


def into(namespace):
    """A socket belongs to the namespace that it was made in."""
    with open(f"/run/netns/{namespace}", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            sys.exit(f"setns {namespace}: {os.strerror(ctypes.get_errno())}")


def port_socket(namespace, interface):
    """What is sent by it the switch receives."""
    into(namespace)
    result = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    result.bind((interface, 0))
    return result


def udp_frame(src_mac, src_ip, dst_mac, dst_ip, src_port, dst_port, token):
    """Ends with the token, eight bytes; nobody sums up."""
    def mac(text):
        return bytes.fromhex(text.replace("-", ""))
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 36, 0, 0x4000, 64, 17, 0,
                         socket.inet_aton(src_ip), socket.inet_aton(dst_ip))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return (mac(dst_mac) + mac(src_mac) + b"\x08\x00" + header[:10]
            + struct.pack("!H", total) + header[12:]
            + struct.pack("!HHHHQ", src_port, dst_port, 16, 0, token))


class Wires:
    """What comes to the peer, by provider address."""

    def __init__(self, lab):
        into(f"{lab}-peer")
        self.sockets = []
        for pa in PAS:
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind((pa, 4789))
            wire.setblocking(False)
            self.sockets.append(wire)

    def take(self):
        """(wire, token) of each packet that is there."""
        for i, wire in enumerate(self.sockets):
            try:
                while True:
                    yield i, int.from_bytes(wire.recv(2048)[-8:], "big")
            except BlockingIOError:
                pass

    def wait(self, seconds):
        """Until something is there; not at the expense of whom it is to come
        from."""
        select.select(self.sockets, [], [], seconds)


# --- Rows.

def switch_rows(ports=()):
    """Of hnv: a switch with a provider address, and these ports' inserts."""
    names = [["named-uuid", port["uuid-name"]] for port in ports]
    return [insert("Provider_Address", {"ip": OWN_PA, "device": "socket"},
                   "pa"),
            *ports,
            insert("Switch", {"name": "hnv0", "type": "external",
                              "provider_addresses": ["named-uuid", "pa"],
                              "ports": ["set", names]}, "switch"),
            insert("Host", {"switches": ["named-uuid", "switch"]})]


def tap_row(name, guid, namespace, interface, **columns):
    return insert("Port", {
        "name": name, "type": "tap", "iface_id": guid,
        "options": ["map", [["netns", namespace],
                            ["interface", interface]]], **columns}, "port")


def locator_rows(subnet):
    """The host's and the peer's, each with a mapping of its own, so that none
    is ever without a reference."""
    rows = []
    for i, pa in enumerate((OWN_PA,) + PAS):
        rows += [insert("Physical_Locator", {
                     "encapsulation_type": "vxlan_over_ipv4", "dst_ip": pa},
                     f"l{i}"),
                 mapping_row(f"02-02-00-00-00-{i:02x}", f"10.0.251.{i}",
                             subnet, ["named-uuid", f"l{i}"])]
    return rows


def locators(results):
    """Those that locator_rows() have become."""
    return [result["uuid"] for result in results[::2]]


def mapping_row(mac, ip, subnet, locator):
    return insert("Ucast_Macs_Remote", {
        "MAC": mac, "ipaddr": ip, "mapping_type": "default",
        "logical_switch": subnet, "locator": locator})


def rule_row(name, guid, dst_ports, direction="Outbound", priority=100):
    """Lets UDP to these ports pass."""
    return insert("FW_Rules", {
        "rule_id": name, "vnic_id": "{%s}" % guid, "priority": priority,
        "direction": direction, "action": "Allow", "protocols": "UDP",
        "src_ports": "*", "dst_ports": dst_ports, "src_ip_addresses": "*",
        "dst_ip_addresses": "*", "rule_state": "Enabled",
        "logging_state": "Disabled",
        "rule_type": "RuleWithControllerPriority"})


def in_force(server, database, operations=(), timeout_ms=120000):
    """Transacts, and waits until cur_cfg says that packets obey."""
    table = "FW_Global" if database == "ms_firewall" else "Global"
    number = server.transact(database, [
        *operations,
        {"op": "mutate", "table": table, "where": [],
         "mutations": [["next_cfg", "+=", 1]]},
        {"op": "select", "table": table, "where": [],
         "columns": ["next_cfg"]}])[-1]["rows"][0]["next_cfg"]
    server.transact(database, [
        {"op": "wait", "table": table, "where": [], "columns": ["cur_cfg"],
         "until": "==", "timeout": timeout_ms,
         "rows": [{"cur_cfg": number}]}])
