"""A name server for tests of diagnostics: answers from a table over UDP and TCP, on loopback."""

import pathlib
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from dns_port import DnsPort  # noqa: E402


class NameServer(DnsPort):
    """`records` maps (name, type) to a list of texts; a name that is in no key does not exist."""

    def __init__(self):
        self.records = {}
        self.silent = set()  # names about which it says nothing
        super().__init__()

    def add(self, name, kind, *texts):
        self.records.setdefault((name, kind), []).extend(texts)

    def options(self, *zones):
        """The dns section of a configuration that asks this server about these zones."""
        stubs = ", ".join(f'"{zone} 127.0.0.1@{self.port}"' for zone in zones)
        return f"dns {{\n\tstub-zones = {{{stubs}}}\n}}\n"

    def answer(self, question, transport):
        message, name, kind = self.asked_by(question)
        if name in self.silent:
            return None
        reply = dns.message.make_response(message)
        reply.flags |= dns.flags.AA
        texts = self.records.get((name, kind))
        if texts:
            reply.answer.append(dns.rrset.from_text(message.question[0].name, 60, "IN", kind, *texts))
        elif not any(known == name or known.endswith("." + name) for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(max_size=65535)
