"""Questions over UDP and TCP at one port of loopback; what is answered is for who inherits it."""

import select
import socket
import struct
import threading

import dns.message
import dns.rdatatype


class DnsPort:
    def __init__(self):
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

    def answer(self, question, transport):
        """The bytes to say to those; None: nothing."""
        raise NotImplementedError

    @staticmethod
    def asked_by(question):
        """(message, name, type)"""
        message = dns.message.from_wire(question)
        asked = message.question[0]
        return (message, asked.name.to_text(omit_final_dot=True).lower(),
                dns.rdatatype.to_text(asked.rdtype))

    def _run(self):
        while self.is_open:
            for ready in select.select([self.udp, self.tcp], [], [], 0.1)[0]:
                if ready is self.udp:
                    question, peer = self.udp.recvfrom(65535)
                    answer = self.answer(question, "udp")
                    if answer:
                        self.udp.sendto(answer, peer)
                else:
                    self._serve_tcp(self.tcp.accept()[0])

    def _serve_tcp(self, connection):
        with connection, connection.makefile("rwb") as stream:
            connection.settimeout(5)
            question = stream.read(struct.unpack("!H", stream.read(2))[0])
            answer = self.answer(question, "tcp")
            if answer:
                stream.write(struct.pack("!H", len(answer)) + answer)
