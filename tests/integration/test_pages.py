"""Pages of the newsletter service behind the appliance's web server, as a person's browser sees them."""

import pytest

from visitor import PASSWORD, Visitor
from web_host import WebHost


@pytest.fixture
def web(sender_in):
    with WebHost(sender_in(keys=("ed25519",)).start()) as one:
        yield one


def test_the_first_owner_comes_by_a_link_of_the_console(web):
    visitor = Visitor(web)
    page = visitor.get("/admin")
    assert page.path == "/admin/login" and page.status == 200

    path = visitor.invitation("Mori@Shop.test")
    page = visitor.get(path)
    assert "mori@shop.test" in page.text
    assert page.send(path, password="short", again="short").status == 422
    assert page.send(path, password=PASSWORD, again=PASSWORD + "x").status == 422
    page = page.send(path, password=PASSWORD, again=PASSWORD, name="森 <b>鷗外</b>")
    assert page.path == "/admin/login" and "Your password is set" in page.text
    assert visitor.get(path).status == 404  # once

    page = visitor.sign_in("mori@shop.test", PASSWORD + "x")
    assert page.status == 422 and "do not belong together" in page.text
    page = visitor.sign_in("mori@shop.test")
    assert page.path == "/admin"
    assert "森 <b>鷗外</b>" in page.text and not [tag for tag, _ in page.reader.tags if tag == "b"]
