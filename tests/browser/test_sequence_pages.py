"""Step mail in a real browser: made without script, started, looked at."""


def test_step_mail_is_made_started_and_looked_at(web, drive):
    key = web.key("shop", "--scope", "send,read,admin,contacts")

    def make(path, body):
        answer = web.call("PATCH" if path == "settings" else "POST", f"/api/v1/{path}", key, body)
        assert answer.status in (200, 201), answer
        return answer

    make("settings", {"sender_name": "Shop K.K.", "sender_address": "1-2 Kanda",
                      "sender_contact": "help@shop.test"})
    make("lists", {"name": "news", "title": "ニュース News"})
    make("attributes", {"name": "birthday", "type": "date", "label_ja": "誕生日", "label_en": "Birthday"})
    make("segments", {"name": "購入済み Bought", "text": 'email contains "bought"'})
    drive("sequences")
    for name in ("ann", "ben", "bought"):
        make("contacts", {"email": f"{name}@reader.test", "lists": {"news": "active"}})
    drive("sequences_report")
