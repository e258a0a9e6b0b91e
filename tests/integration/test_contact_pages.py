"""Pages of contacts, lists, attributes and imports, as a person's browser sees them."""

import re
import time

import pytest

from visitor import Visitor
from web_host import WebHost


@pytest.fixture
def web(sender_in):
    with WebHost(sender_in(keys=("ed25519",)).start()) as one:
        yield one


@pytest.fixture
def owner(web):
    return Visitor(web).become()


def test_a_contact_is_kept_by_pages(web, owner):
    page = owner.get("/admin/lists").send("/admin/lists", name="news", title="お知らせ <b>", default="1")
    assert page.path == "/admin/lists" and "Saved." in page.text and "お知らせ <b>" in page.text
    assert owner.get("/admin/lists").send("/admin/lists", name="news").status == 422
    page = owner.get("/admin/attributes")
    page = page.send("/admin/attributes", name="rank", type="4", choices="金\r\n銀\r\n", label_ja="ランク")
    assert "Saved." in page.text
    page = owner.get("/admin/attributes").send("/admin/attributes", name="born", type="3", label_en="Born")
    assert page.status == 200 and "Date" in page.text

    page = owner.get("/admin/contacts/new")
    bad = page.send("/admin/contacts/new", email="ann@shop.test", a2="30.2.2026")
    assert bad.status == 422 and "a day that there is not" in bad.text
    assert bad.form("/admin/contacts/new").fields["a2"] == "30.2.2026"
    page = bad.send("/admin/contacts/new", a1="金", a2="令和8年1月2日")
    assert re.fullmatch(r"/admin/contacts/\d+", page.path) and "The contact is added." in page.text
    fields = page.form(page.path).fields
    assert (fields["a1"], fields["a2"], fields["l1"]) == ("金", "2026-01-02", "2")
    assert owner.get("/admin/contacts/new").send("/admin/contacts/new", email="ANN@shop.test").status == 422

    page = page.send(page.path, state="4")
    assert "Saved." in page.text and "Unsubscribed" in page.text
    again = page.send(page.path, state="2")
    assert again.status == 422 and "new consent" in again.text
    page = again.send(page.path, state="2", consent="counter")
    assert "counter" in page.text and "user owner@shop.test" in page.text

    found = owner.get("/admin/contacts?email=ann")
    assert page.path in found.links
    assert page.path in owner.get("/admin/contacts?text=%E9%87%91&list=news&state=2").links
    assert page.path not in owner.get("/admin/contacts?email=bob").links
    form = owner.get("/admin/contacts/export").form("/admin/contacts/export")
    assert form.fields["encoding"] == "utf-8"
    table = owner.get("/admin/contacts/export?do=download&columns=email&columns=rank&list=news"
                      "&encoding=utf-16&segment=rank%20%3D%20%22%E9%87%91%22").answer.content
    assert table.decode("utf-16") == "email\trank\r\nann@shop.test\t金\r\n"
    wrong = owner.get("/admin/contacts/export?do=download&segment=rank%20%3D&columns=rank")
    assert wrong.status == 422 and "column" in wrong.text
    assert owner.get(page.path + "/export").answer.json()["values"]["rank"] == "金"

    assert "Tick the box" in page.send(page.path + "/erase").text
    gone = owner.get(page.path).send(page.path + "/erase", sure="1")
    assert gone.path == "/admin/contacts" and "is erased" in gone.text
    assert owner.get(page.path).status == 404
    assert "erased a contact" in owner.get("/admin/audit").text


def test_who_only_looks_changes_nothing(web, owner):
    owner.get("/admin/lists").send("/admin/lists", name="news")
    viewer = Visitor(web).become("vi@shop.test", "viewer")
    assert viewer.get("/admin/contacts").status == 200
    for path in ("/admin/contacts/new", "/admin/contacts/export", "/admin/lists/1"):
        assert viewer.get(path).status == 403
        assert path not in viewer.get("/admin/contacts").links
    token = viewer.get("/admin/account").form("/admin/account").fields["csrf"]
    assert viewer.post("/admin/lists", {"csrf": token, "name": "x"}).status == 403


def test_pages_speak_japanese(web, owner):
    visitor = Visitor(web, "ja").become("mori@shop.test")
    for path, word in (("/admin/contacts", "連絡先"), ("/admin/lists", "リスト"), ("/admin/attributes", "属性"),
                       ("/admin/contacts/new", "同意の取得元")):
        assert word in visitor.get(path).text


def arrive(visitor, path, word):
    """Loads the page again until it says so, as its refresh does."""
    ends = time.monotonic() + 20
    while word not in (page := visitor.get(path)).text:
        assert time.monotonic() < ends, page.text
        time.sleep(0.1)
    return page


def test_a_file_comes_in_by_pages_and_goes_again(web, owner):
    owner.get("/admin/lists").send("/admin/lists", name="news", title="お知らせ")
    assert owner.get("/admin/lists").status == 200
    data = "メールアドレス,氏名,誕生日\r\nann@x.test,森,令和8年1月2日\r\nbob@x.test,林,昨日\r\nnobody,,\r\n"
    upload = {"file": ("顧客.csv", data.encode("cp932"), "text/csv")}
    page = owner.get("/admin/imports").send("/admin/imports", files=upload)
    path = page.path
    assert re.fullmatch(r"/admin/imports/\d+", path) and "shift_jis" in page.text and "顧客.csv" in page.text
    fields = page.form(path + "/plan").fields
    assert (fields["c0"], fields["c1"], fields["t1"], fields["t2"]) == ("e0", "n0", "1", "1")
    assert "One column has to be" in page.send(path + "/plan", do="try", c0="-0").text
    page.send(path + "/plan", do="try", n1="name", n2="born", t2="3", lists="1", source="counter",
              date="2026-01-01")
    page = arrive(owner, path, "dry run")
    assert "Tried" in page.text and owner.get("/admin/contacts?email=ann").text.count("ann@x.test") == 0
    report = owner.get(path + "/report?language=ja").answer.content.decode("utf-8-sig")
    assert "日付ではありません" in report and "メールアドレスが正しくありません" in report
    page.send(path + "/run")
    page = arrive(owner, path, "Done")
    found = owner.get("/admin/contacts?list=news")
    assert "ann@x.test" in found.text and "bob@x.test" in found.text
    ann = owner.get([link for link in found.links if re.fullmatch(r"/admin/contacts/\d+", link)][0])
    assert "import 1" in ann.text and "counter" in ann.text
    page.send(path + "/undo")
    assert "Undone" in arrive(owner, path, "Undone").text
    assert "Nobody was found" in owner.get("/admin/contacts").text
    assert "Imports" in owner.get("/admin/imports").text
    audit = owner.get("/admin/audit").text
    for action in ("brought a file", "imported contacts", "undid an import"):
        assert action in audit
