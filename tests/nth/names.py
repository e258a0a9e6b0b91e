"""A name server of one zone, in a thread: post.example has exchangers, gone.example does not exist."""
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SOA = "ns.post.example. root.post.example. 1 3600 600 86400 60"


class Names:
    def __init__(self, host, exchanger):
        self.records = {
            ("post.example.", "MX"): ["10 mx1.post.example.", "20 mx2.post.example."],
            ("mx1.post.example.", "A"): [exchanger],
            ("mx2.post.example.", "A"): [exchanger],
            ("null.post.example.", "MX"): ["0 ."],
        }
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def answer(self, question):
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.AA
        name = question.question[0].name.to_text().lower()
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        texts = self.records.get((name, kind))
        if texts:
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *texts))
            return reply
        reply.authority.append(dns.rrset.from_text("post.example.", 60, "IN", "SOA", SOA))
        if not any(name == known for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            try:
                self.socket.sendto(self.answer(dns.message.from_wire(data)).to_wire(), peer)
            except Exception:  # what is no question gets no answer
                pass
