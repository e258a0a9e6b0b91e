"""What is wrong is said on a page in its reader's language, whichever room found it: places, names and
values stay as they are."""

import re

import pytest

from visitor import Visitor
from web_host import WebHost

ENGLISH = re.compile(r"\b(there is|is no|cannot|is missing|unknown|it is|is expected|a condition)\b")


@pytest.fixture
def web(sender_in):
    with WebHost(sender_in(keys=("ed25519",)).start()) as one:
        yield one


@pytest.fixture
def reader(web):
    return Visitor(web, "ja").become()


def said(page, *sentences):
    for sentence in sentences:
        assert sentence in page.text, (sentence, page.text)
    assert not ENGLISH.search(page.text), page.text


def test_what_is_wrong_with_a_text_is_said_in_japanese(reader):
    new = reader.get("/admin/templates/new?kind=mail")
    said(new.send("/admin/templates", name="お知らせ", html="<p>\n{{#if}}", do="check"),
         "HTML の本文 2行目：条件には項目が必要です：{{#if name = \"x\"}}")
    said(new.send("/admin/templates", name="お知らせ", html="{{>足}}"), "「足」というブロックはありません")
    said(reader.get("/admin/templates/new?kind=mail").send("/admin/templates", name="", html="x"),
         "入力してください")

    page = reader.get("/admin/campaigns/new").send(
        "/admin/campaigns", name="春", subject="{{宛名}} 様", text="こんにちは", zone_attribute="",
        **{"from": "shop@courier.example"})
    assert page.status == 200, page.text
    said(reader.get(page.path + "/preview"), "件名", "「宛名」という項目はありません")
    wrong = reader.get("/admin/campaigns/new").send(
        "/admin/campaigns", name="夏", subject="S", text="こんにちは", zone_attribute="", **{"from": "shop"})
    assert wrong.status == 422
    said(wrong, "@ がありません")


def test_what_is_wrong_with_a_condition_is_said_in_japanese(reader):
    page = reader.get("/admin/segments/new").send("/admin/segments", do="text", name="読者")
    for text, sentence in (("opened or (clicked and prefecture = 1)", "「prefecture」という属性はありません"),
                           ("state = 'active'", "ここでは使えない文字です"),
                           ("opened and", "最後に 条件 がありません"),
                           ("opened within", "の整数がありません"),
                           ("state contains \"a\"", "「contains」は「state」には使えません")):
        page = page.send("/admin/segments", do="save", text=text)
        assert page.status == 422
        said(page, sentence)
    page = reader.get("/admin/segments/new").send("/admin/segments", do="add", add="opened", name="読者")
    page = page.send("/admin/segments", do="save", **{"op.0": "within", "value.0": "30日"})
    assert page.status == 422
    said(page, "日数は整数で入力してください")
    export = reader.get("/admin/contacts/export?do=download&segment=clicked+within+x")
    said(export, "の整数が必要です")


def test_what_is_wrong_with_contacts_is_said_in_japanese(web, reader):
    new = reader.get("/admin/contacts/new")
    for address, sentence in (("mori", "@ がありません"), ("mori@", "ドメインがありません"),
                              ("mori@localhost", "ドメインに「.」がありません")):
        page = new.send("/admin/contacts/new", email=address)
        assert page.status == 422
        said(page, f"アドレス「{address}」：{sentence}")
    for data, sentence in ((b'email,"na\r\nme', "1行目の2列目：ここで始まる引用符が閉じていません"),
                           (b'email,"na"me\r\na@x.test,\r\n', "閉じた引用符の後に文字があります")):
        upload = {"file": ("a.csv", data, "text/csv")}
        page = reader.get("/admin/imports").send("/admin/imports", files=upload)
        assert page.status == 422
        said(page, sentence)
    # Without the sender of the settings there is no test, and she reads why.
    made = reader.get("/admin/templates/new?kind=mail").send("/admin/templates", name="案内", text="こんにちは")
    page = made.send(made.path + "/test", to="a@courier.test")
    assert page.status == 422
    said(page, "テストの差出人は「設定」の差出人です。先に設定してください")
    reader.get("/admin/settings").send("/admin/settings", **{"from-address": "shop@courier.example"})
    many = "\n".join(f"a{number}@courier.test" for number in range(30))
    for to, sentence in (("mori", "アドレス「mori」：@ がありません"), ("", "宛先を入力してください"),
                         (many, "宛先が多すぎます")):
        page = made.send(made.path + "/test", to=to)
        assert page.status == 422
        said(page, sentence)


def test_a_stranger_is_told_no_reasons(web, reader):
    sent = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    assert "UTF-8" in reader.post("/admin/login", b"email=%ff", **sent).text
    stranger = Visitor(web, "en").post("/admin/login", b"email=%ff", **sent)
    assert stranger.status == 400 and "UTF-8" not in stranger.text
