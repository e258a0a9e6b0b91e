"""A name server for tests of diagnostics: answers from a table over UDP and TCP, on loopback."""

import select
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """`records` maps (name, type) to a list of texts; a name that is in no key does not exist."""

    def __init__(self):
        self.records = {}
        self.silent = set()  # names about which it says nothing
        while True:
            self.tcp = socket.create_server(("127.0.0.1", 0))
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        self.is_open = True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def close(self):
        self.is_open = False
        self.thread.join()
        self.udp.close()
        self.tcp.close()

    def add(self, name, kind, *texts):
        self.records.setdefault((name, kind), []).extend(texts)

    def options(self, *zones):
        """The dns section of a configuration that asks this server about these zones."""
        stubs = ", ".join(f'"{zone} 127.0.0.1@{self.port}"' for zone in zones)
        return f"dns {{\n\tstub-zones = {{{stubs}}}\n}}\n"

    def _run(self):
        while self.is_open:
            for ready in select.select([self.udp, self.tcp], [], [], 0.1)[0]:
                if ready is self.udp:
                    question, peer = self.udp.recvfrom(65535)
                    answer = self._answer(question)
                    if answer:
                        self.udp.sendto(answer, peer)
                else:
                    self._serve_tcp(self.tcp.accept()[0])

    def _serve_tcp(self, connection):
        with connection, connection.makefile("rwb") as stream:
            connection.settimeout(5)
            question = stream.read(struct.unpack("!H", stream.read(2))[0])
            answer = self._answer(question)
            if answer:
                stream.write(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire):
        message = dns.message.from_wire(wire)
        asked = message.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        if name in self.silent:
            return None
        reply = dns.message.make_response(message)
        reply.flags |= dns.flags.AA
        texts = self.records.get((name, kind))
        if texts:
            reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *texts))
        elif not any(known == name or known.endswith("." + name) for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(max_size=65535)
