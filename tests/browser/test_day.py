"""
A marketer's day in a browser, in Japanese and in English, from the customers' file to the report; and what
readers do meanwhile.
"""

import csv
import email
import email.policy
import io
import re
import time

import pytest
import requests

from hostile import Hostile
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

NAMES = {"ja": ("森 翔太", "佐藤 花子", "鈴木 一郎", "高橋 美咲", "田中 健", "伊藤 さくら"),
         "en": ("Ann Smith", "Bob O'Neil", "Chloë Jones", "Dan \"Dee\" Lee", "Eve, Lady Hart", "Finn Brown")}
PLACES = {"ja": ("東京都", "大阪府", "北海道", "福岡県", "愛知県"),
          "en": ("London", "Leeds", "York", "Bath", "Hull")}
SAID = {"ja": ("先行販売", "入荷しました"), "en": ("early sale", "Winter has arrived")}
PAGES = "https://news.courier.example"


def receiver(talk):
    """Nobody of `bad...` is there."""
    talk.serve(rcpt=lambda path: "550 5.1.1 no such user\r\n" if "<bad" in path.lower() else None)


@pytest.fixture
def server():
    with Hostile(receiver) as one:
        yield one


@pytest.fixture
def web(sender_in, server):
    one = sender_in(keys=("ed25519", "rsa"))
    one.route("*", server.port)
    with WebHost(one.start(), url=PAGES) as host:
        host.owner = Visitor(host).become("owner@shop.test")
        yield host


def customers(path, language):
    """
    As spreadsheets write it, in Japan in Shift_JIS with dates by slashes, elsewhere in UTF-8 behind a BOM;
    with commas in numbers; one line is broken.
    """
    japanese = language == "ja"
    head = ["メールアドレス", "氏名", "都道府県", "誕生日", "購入額"] if japanese else \
        ["E-mail", "Name", "City", "Birthday", "Amount"]
    date = "{}/{}/{}" if japanese else "{}-{:02}-{:02}"
    rows = [[f"{'bad' if i in (7, 39) else 'user'}{i}@example-{i % 5}.test", NAMES[language][i % 6],
             PLACES[language][i % 5], date.format(1960 + i, i % 12 + 1, i % 28 + 1),
             f"{(i * 7919 % 90 + 1) * 1000:,}"] for i in range(40)]
    rows += [["user8@@example.test", NAMES[language][0], PLACES[language][0], "1990-01-01", "100"],
             ["a..b@docomo.ne.jp", NAMES[language][1], PLACES[language][0], "1988-05-05", "3,000"]]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    path.write_bytes(text.getvalue().encode("cp932" if japanese else "utf-8-sig"))


def html_of(message):
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    return parsed.get_body(("html",)).get_content()


def link(web, html, kind):
    """A link of ours in a mail, at the server of the test."""
    return re.search(rf"{PAGES}(/{kind}/[^\"'<> ]+)", html)[1].join((web.url, ""))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_from_the_customers_file_to_the_report(web, drive, server, tmp_path, language):
    file = tmp_path / ("顧客名簿.csv" if language == "ja" else "customers.csv")
    customers(file, language)
    drive("day_send", HIKYAKU_CUSTOMERS=str(file), HIKYAKU_LANGUAGE=language)
    wait_until(lambda: len(server.accepted) == 39, "all mails")
    mails = {m.recipients[0]: html_of(m) for m in server.accepted}
    assert any(SAID[language][0] in html for html in mails.values())
    assert any(SAID[language][1] in html for html in mails.values())
    time.sleep(4)  # who clicks sooner is taken for a gateway
    reader = requests.Session()
    reader.verify, reader.trust_env = web.certificate, False
    reader.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    readers = sorted(mails)[1:8]
    for one in readers:
        assert reader.get(link(web, mails[one], "t/o")).status_code == 200
    for one in readers[:3]:
        gone = reader.get(link(web, mails[one], "t/c"), allow_redirects=False)
        assert (gone.status_code, gone.headers["Location"]) == (302, "https://shop.example/winter")
    left = reader.post(link(web, mails[readers[0]], "u"), data={"List-Unsubscribe": "One-Click"})
    assert left.status_code == 200
    drive("day_report", HIKYAKU_SENT="41", HIKYAKU_BOUNCED="2", HIKYAKU_OPENED="7", HIKYAKU_CLICKED="3",
          HIKYAKU_LEAVE=link(web, mails[readers[1]], "u"), HIKYAKU_CHOOSE=link(web, mails[readers[2]], "p"),
          HIKYAKU_LANGUAGE=language)
