"""Ports for servers of the tests."""

import errno
import pathlib
import random
import socket

# Below those that the kernel gives to whoever asks for any, where that leaves some, so that neither a
# connection nor another listener gets one between the choice and the server's start; at random, for other
# runs of tests choose, too.
FIRST = 10240
EPHEMERAL = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
LAST = EPHEMERAL if EPHEMERAL > 2 * FIRST else 32768
untried = random.sample(range(FIRST, LAST), LAST - FIRST)


def free_port(host="127.0.0.1"):
    """A port that nobody uses at the host, by TCP and UDP; never the same again in this process."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = untried.pop()
        try:
            with socket.socket(family) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
                tcp.bind((host, port))
                udp.bind((host, port))
                return port
        except OSError as why:
            if why.errno != errno.EADDRINUSE:
                raise
