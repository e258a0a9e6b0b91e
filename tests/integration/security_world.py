"""One running host for tests of what the web role is immune to: contacts, one of each noun, users, keys."""

import socket
import subprocess

import pytest

import sender as sender_module
from hostile import Hostile, polite
from test_reader import World, reader_many  # noqa: F401: a fixture
from visitor import Visitor

SCOPES = ("send", "read", "contacts", "admin")


@pytest.fixture(scope="module")
def world(tmp_path_factory, reader_many):  # noqa: F811
    """One for all; who tries something has a user or a key of his own."""
    sender_module.build()
    sender = sender_module.Sender(tmp_path_factory.mktemp("security") / "sender", keys=("ed25519",))
    server = Hostile(polite)
    sender.route("*", server.port)
    try:
        one = World(sender.start(), reader_many, url="https://news.courier.example", rate=100000)
        shown = subprocess.run([reader_many, "tokens", one.folder, "8"], capture_output=True, text=True,
                               check=True)
        one.tokens = dict(line.split("=", 1) for line in shown.stdout.splitlines())
        with one.web as web:
            one.server = server
            one.keys = {scope: web.key(scope, "--scope", scope) for scope in SCOPES}
            one.everything = web.key("all", "--scope", ",".join(SCOPES))
            one.owner = Visitor(web).become("owner@shop.test")
            one.editor = Visitor(web).become("editor@shop.test", "editor")
            one.viewer = Visitor(web).become("viewer@shop.test", "viewer")
            make_one_of_each(web, one.everything)
            yield one
    finally:
        sender.close()
        server.close()


def make_one_of_each(web, key):
    for path, body in (("segments", {"name": "All", "text": "email contains \"@\""}),
                       ("forms", {"name": "news", "lists": "1", "from": "news@courier.example"}),
                       ("mailings", {"name": "One", "from": "a@courier.example", "subject": "s", "text": "t",
                                     "list": 1}),
                       ("suppressions", {"addresses": ["gone@reader.test"]})):
        made = web.call("POST", f"/api/v1/{path}", key, body)
        assert made.status in (200, 201), (path, made)


def raw(world, request):
    link = world.web.context.wrap_socket(socket.create_connection(("127.0.0.1", world.web.port), timeout=30),
                                         server_hostname="127.0.0.1")
    with link:
        try:
            link.sendall(request)
        except OSError:
            pass  # refused before all of it was said: the answer is there
        answer = b""
        try:
            while part := link.recv(65536):
                answer += part
        except OSError:
            pass
        return answer
