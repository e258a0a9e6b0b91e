"""A scriptable SMTP server that misbehaves.

    def closes_after_data(talk):
        talk.serve(data=lambda _: talk.close())

    with Hostile(closes_after_data, polite) as server: ...

A script is called once for each connection, with a Talk; the first script has the first connection,
the second the next, the last one all further ones. `Talk.serve` holds a polite dialogue whose answers
can be replaced one by one; everything below it (bytes, resets, TLS) can be used directly. What a script
accepted by a 250 is in `accepted`, in `taken` what came in whole, answered or not.
"""

import collections
import contextlib
import pathlib
import re
import socket
import ssl
import struct
import threading
import time

Message = collections.namedtuple("Message", "connection sender recipients content by tls")


class Gone(Exception):
    """The connection is over: the script ends."""


class Talk:
    """One connection, seen from the server."""

    def __init__(self, server, connection, number):
        self.server = server
        self.socket = connection
        self.number = number   # from 0
        self.commands = []     # lines of the client
        self.tls = False
        self.buffer = b""
        self.piece = 0         # bytes a send; 0: all at once
        self.pause = 0.0       # seconds between them
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(60)

    # ---- bytes ----

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        size = self.piece or max(len(data), 1)
        try:
            for at in range(0, len(data), size):
                if at and self.pause:
                    time.sleep(self.pause)
                self.socket.sendall(data[at:at + size])
        except OSError:
            raise Gone from None

    def read(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.read()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def octets(self, count):
        while len(self.buffer) < count:
            self.read()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def content(self):
        """What follows a 354, un-stuffed, without the dot."""
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(line + b"\r\n" for line in lines)

    def close(self):
        """Ends the connection in an orderly way."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        raise Gone

    def reset(self):
        """Breaks the connection off: the client gets ECONNRESET."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        raise Gone

    def drain(self):
        """Reads until the client ends the connection."""
        while True:
            self.buffer = b""
            self.read()

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.certificate)
        context.sni_callback = self.server.on_server_name
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (OSError, ssl.SSLError):
            raise Gone from None
        self.tls = True

    # ---- a dialogue ----

    def serve(self, greeting="220 hostile.test ESMTP\r\n", features=("PIPELINING", "8BITMIME"),
              tls_features=None, **answers):
        """Speaks SMTP. `answers` by verb in lower case, and `dot` behind the content: text that is
        answered, or a function of the argument that gives text, None for the usual answer, or sends
        something itself and gives ''. With STARTTLS among the features it is done; `tls_features`
        are offered inside."""
        self.send(greeting)
        message = None
        while True:
            line = self.line()
            self.commands.append(line.decode("utf-8", "surrogateescape"))
            verb, _, argument = self.commands[-1].partition(" ")
            verb = verb.lower()
            answer = self.ask(answers, verb, argument)
            if verb == "ehlo":
                shown = tls_features if self.tls and tls_features is not None else features
                names = ["hostile.test", *shown]
                usual = "".join(f"250-{n}\r\n" for n in names[:-1]) + f"250 {names[-1]}\r\n"
                self.send(usual if answer is None else answer)
            elif verb == "helo":
                self.send("250 hostile.test\r\n" if answer is None else answer)
            elif verb == "starttls":
                self.send("220 go ahead\r\n" if answer is None else answer)
                if answer is None:
                    self.start_tls()
            elif verb == "mail":
                answer = "250 2.1.0 ok\r\n" if answer is None else answer
                message = ({"sender": path_of(argument), "recipients": []}
                           if answer.startswith("25") else None)
                self.send(answer)
            elif verb == "rcpt":
                usual = "250 2.1.5 ok\r\n" if message else "503 5.5.1 MAIL first\r\n"
                answer = usual if answer is None else answer
                if message and answer.startswith("25"):
                    message["recipients"].append(path_of(argument))
                self.send(answer)
            elif verb == "data":
                usual = "354 go\r\n" if message and message["recipients"] else "554 no\r\n"
                answer = usual if answer is None else answer
                self.send(answer)
                if answer.startswith("354"):
                    self.take(message, self.content(), "DATA", answers)
                    message = None
            elif verb == "bdat":
                count = int(argument.split()[0])
                content = self.octets(count)
                if answer is None and not (message and message["recipients"]):
                    answer = "503 5.5.1 no recipients\r\n"
                if answer is None:
                    self.take(message, content, "BDAT", answers)
                else:
                    self.send(answer)
                message = None
            elif verb == "rset":
                message = None
                self.send("250 ok\r\n" if answer is None else answer)
            elif verb == "quit":
                self.send("221 bye\r\n" if answer is None else answer)
                self.close()
            else:
                self.send("500 5.5.2 what?\r\n" if answer is None else answer)

    @staticmethod
    def ask(answers, name, argument):
        answer = answers.get(name)
        return answer(argument) if callable(answer) else answer

    def take(self, message, content, by, answers):
        message = message or {"sender": "", "recipients": []}
        whole = Message(self.number, message["sender"], tuple(message["recipients"]), content, by,
                        self.tls)
        self.server.taken.append(whole)
        answer = self.ask(answers, "dot", whole)
        if answer is None:
            answer = "250 2.0.0 taken\r\n"
        if answer.startswith("25"):
            self.server.accepted.append(whole)
        self.send(answer)


def path_of(argument):
    return re.match(r"(?:FROM|TO):<(.*)>", argument, re.IGNORECASE)[1]


def polite(talk):
    talk.serve()


class Hostile:
    def __init__(self, *scripts, host="127.0.0.1", port=0, certificate=None):
        self.scripts = scripts or (polite,)
        self.certificate = certificate
        self.on_server_name = None  # as of ssl.SSLContext.sni_callback
        self.accepted = []
        self.taken = []
        self.talks = []
        self.errors = []
        self.listener = socket.create_server((host, port), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            talk = Talk(self, connection, len(self.talks))
            self.talks.append(talk)
            script = self.scripts[min(talk.number, len(self.scripts) - 1)]
            threading.Thread(target=self.run, args=(script, talk), daemon=True).start()

    def run(self, script, talk):
        try:
            script(talk)
        except Gone:
            pass
        except Exception as error:  # a script that is wrong must show
            self.errors.append(f"{type(error).__name__}: {error}; after {talk.commands[-5:]}")
        with contextlib.suppress(OSError):
            talk.socket.close()

    @property
    def connections(self):
        return len(self.talks)

    def story(self):
        """What each client said, for the words of a test that failed."""
        return [(talk.number, talk.commands) for talk in self.talks] + self.errors

    def accepted_for(self, recipient):
        return [message for message in self.accepted if recipient in message.recipients]

    def taken_for(self, recipient):
        return [message for message in self.taken if recipient in message.recipients]

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for talk in self.talks:
            with contextlib.suppress(OSError):
                talk.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def folder_certificate(directory):
    """A certificate for Hostile, as paths."""
    from peers.peer import make_certificate
    directory = pathlib.Path(directory)
    return tuple(map(str, make_certificate(directory, "hostile.test")))
