"""A customer, and what DNS has to say of it."""

from fake_init import RECORD

CUSTOMER = """
customer "example.jp" {{
	address "20.0.2.10" {{ ehlo = "mail.example.jp" }}
	address "2a00:1::10" {{ ehlo = "mail.example.jp" }}
	dkim "s2026" {{ key = "/data/send/keys/k.pem" }}
}}
"""
KEY = RECORD.split("p=")[1]
ZONES = ("example.jp", "example.com", "2.0.20.in-addr.arpa", "0.0.a.2.ip6.arpa", "list.example.net")
PTR4 = "10.2.0.20.in-addr.arpa"
PTR6 = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.a.2.ip6.arpa"


def publish_all(names):
    for name in ("mail.example.jp",):
        names.add(name, "A", "20.0.2.10")
        names.add(name, "AAAA", "2a00:1::10")
    names.add(PTR4, "PTR", "mail.example.jp.")
    names.add(PTR6, "PTR", "mail.example.jp.")
    names.add("example.jp", "TXT", '"v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"', '"else"')
    names.add("example.jp", "MX", "10 mail.example.jp.")
    names.add("_dmarc.example.jp", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@example.jp"')
    names.add("_mta-sts.example.jp", "TXT", '"v=STSv1; id=20261130"')
    names.add("mail.example.jp", "TXT", '"v=spf1 a -all"')
    names.add("s2026._domainkey.example.jp", "TXT", f'"{RECORD[:200]}" "{RECORD[200:]}"')


def replace(names, name, kind, *texts):
    names.records[(name, kind)] = list(texts)
    names.records = {key: texts for key, texts in names.records.items() if texts}
