"""Run a program in a network of its own, and note whom it asks for. Linux only; `python alone.py NOTES PROGRAM ...`.

Every address leads back into that network, where nobody answers, so each packet can be read before it is lost: native
code is seen as well as Python. Services that resolve names are hidden, so that a look-up is a packet, too.
NOTES is written as JSON: `refused`, why the system allows no such network, or else what was `asked`, a list such as
`192.0.2.1 port 443` and `look-up of example.org`. The exit status is that of the program.
"""

import ctypes
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

# <sched.h>, <sys/mount.h>, <linux/if_ether.h>, <linux/rtnetlink.h>, <net/if.h>
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
ETH_P_ALL = 3
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
RTM_NEWROUTE, RTA_OIF, TABLE_LOCAL, PROTO_BOOT, SCOPE_HOST, TYPE_LOCAL = 24, 4, 255, 3, 254, 2
REQUEST_CREATE_ACK = 0x1 | 0x400 | 0x4
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
LOOKUP_PORTS = {53, 853, 5353, 5355}

RESOLVERS = ("/run/systemd/resolve", "/run/nscd", "/run/avahi-daemon", "/var/run/nscd")
"""Where programs listen that resolve names for others; their sockets are files, and lead out of any network."""

THE_END = b"that was all"
"""What is sent when the program has ended: all packets before it have been read then."""


def isolate() -> None:
    """Move this process into a network of its own, in which every address is this machine.

    Raises:
        OSError: the system does not allow it.
    """
    if sys.platform != "linux":
        raise OSError("this is not Linux")
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)

    def called(status: int, what: str) -> None:
        if status:
            raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")

    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS):  # as root; else with a root of our own
        called(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    called(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
    for place in RESOLVERS:
        if Path(place).is_dir():
            called(libc.mount(b"none", place.encode(), b"tmpfs", 0, None), f"mount {place}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack_from("16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    lead_here(socket.AF_INET)
    if socket.has_ipv6 and Path("/proc/sys/net/ipv6/conf/lo").is_dir():
        lead_here(socket.AF_INET6)


def lead_here(family: int) -> None:
    """Make all addresses of a family local ones: `ip route add local default dev lo`.

    Raises:
        OSError: the system does not allow it.
    """
    route = struct.pack("8BI", family, 0, 0, 0, TABLE_LOCAL, PROTO_BOOT, SCOPE_HOST, TYPE_LOCAL, 0)
    route += struct.pack("HHI", 8, RTA_OIF, socket.if_nametoindex("lo"))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("IHHII", 16 + len(route), RTM_NEWROUTE, REQUEST_CREATE_ACK, 1, 0) + route)
        error = -struct.unpack_from("i", kernel.recv(4096), 16)[0]
    if error:
        raise OSError(error, f"route: {os.strerror(error)}")


def asked_for(packet: bytes) -> str | None:
    """Say whom an IP packet begins to ask; None where it stays on this machine or answers another."""
    four = packet[0] >> 4 == 4
    protocol, start = (packet[9], 4 * (packet[0] & 15)) if four else (packet[6], 40)
    address = ipaddress.ip_address(packet[16:20] if four else packet[24:40])
    if protocol in (ICMP, ICMP6):  # "nobody here" and the greetings of a new network
        return None
    port = struct.unpack_from(">H", packet, start + 2)[0] if protocol in (TCP, UDP) else 0
    if protocol == TCP and packet[start + 13] & 0x12 != 0x02:  # all but SYN without ACK
        return None
    if protocol == UDP and port in LOOKUP_PORTS:
        return f"look-up of {name_in(packet[start + 8 + 12 :])}"
    return None if address.is_loopback and port not in LOOKUP_PORTS else f"{address} port {port}"


def name_in(question: bytes) -> str:
    """Read the name in the question of a DNS message."""
    words = []
    while question and question[0]:
        words.append(question[1 : 1 + question[0]].decode("latin-1"))
        question = question[1 + question[0] :]
    return ".".join(words)


def watched(program: list[str]) -> tuple[int, list[str]]:
    """Run a program in this network.

    Returns:
        Its exit status, and whom it asked for, in order, each once.
    """
    asked: dict[str, None] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as wire:  # type: ignore[attr-defined]

        def listen() -> None:
            while not (packet := wire.recv(65536)).endswith(THE_END):
                if packet[0] >> 4 in (4, 6) and (whom := asked_for(packet)):
                    asked[whom] = None

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            status = subprocess.run(program, check=False).returncode
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(THE_END, ("127.0.0.1", 9))
            listener.join()
        return status, list(asked)


def main(notes: Path, program: list[str]) -> None:
    """Run a program, and write down whom it asked for."""
    try:
        isolate()
    except OSError as fault:
        notes.write_text(json.dumps({"refused": str(fault)}))
        return
    status, asked = watched(program)
    notes.write_text(json.dumps({"asked": asked}))
    sys.exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
