"""The job that everybody gets: one newsletter, one list, one key.

A message has a personal greeting and a personal link, so its text differs for every recipient; the
size counts the text without the header. `world` says where the recipients' mail goes: to one sink that
takes everything, or to the providers of providers.conf.
"""
import dataclasses
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAIN = "bench.example"
SELECTOR = "s1"
SINK_ADDRESS = "127.0.1.1"  # not a peer's own
PORT = 25  # a namespace has all ports
PROVIDERS = os.path.join(HERE, "providers.conf")
ZONE = "world.example"  # of the providers' names
LINE = "What the tea fields and the old roads look like this week, and where to go on Sunday."
HEADER = """\
From: News <news@{domain}>
To: <{address}>
Subject: The week's news, number {number}
Date: Wed, 25 Nov 2026 09:00:00 +0900
Message-ID: <{number}.bench@{domain}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable
List-Unsubscribe: <https://{domain}/u/{number}>, <mailto:unsubscribe-{number}@{domain}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click

"""
OURS_HEADER = """\
From: News <news@{domain}>
To: <{{{{email}}}}>
Subject: The week's news, number {{{{number}}}}

"""


@dataclasses.dataclass
class Provider:
    name: str
    address: str
    share: float
    domains: list
    connections: int = 0
    messages: int = 0
    rate: int = 0
    unknown: float = 0
    refused: float = 0


def read_providers(path=PROVIDERS):
    found = []
    with open(path) as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if not words:
                continue
            option = dict(word.split("=") for word in words[2:])
            count = int(option["domains"])
            names = [f"{words[0]}.{ZONE}"] if count == 1 else \
                [f"{words[0]}-{i}.{ZONE}" for i in range(count)]
            numbers = {key: type_(option[key]) for key, type_ in (
                ("connections", int), ("messages", int), ("rate", int), ("unknown", float),
                ("refused", float)) if key in option}
            found.append(Provider(words[0], words[1], float(option["share"]), names, **numbers))
    return found


def plain_addresses(count, domains=500):
    for i in range(count):
        yield f"reader{i}@shop{i % domains}.example"


def provider_addresses(count, providers):
    """Providers are mixed as they are in a list that people signed up to."""
    owed = [0.0] * len(providers)
    for i in range(count):
        for k, provider in enumerate(providers):
            owed[k] += provider.share / 100
        k = max(range(len(providers)), key=owed.__getitem__)
        owed[k] -= 1
        names = providers[k].domains
        yield f"reader{i}@{names[i * 7919 % len(names)]}"


def sink_hash(salt, address):
    """As in sink_provider.c."""
    most = (1 << 64) - 1
    value = ((0xcbf29ce484222325 ^ ord(salt)) * 0x100000001b3) & most
    for byte in address.encode():
        value = ((value ^ byte) * 0x100000001b3) & most
    value ^= value >> 32
    value = (value * 0x9e3779b97f4a7c15) & most
    return value ^ value >> 29


def is_deliverable(address, provider):
    """Whether the sink takes this address's mail in the end."""
    return (sink_hash("u", address) % 100_000 >= provider.unknown * 1000 and
            sink_hash("r", address) % 100_000 >= provider.refused * 1000)


def deliverable_count(addresses, providers):
    of = {domain: provider for provider in providers for domain in provider.domains}
    return sum(is_deliverable(address, of[address.split("@")[1]]) for address in addresses)


def body(size, address, number, personal=True):
    greeting = f"Dear reader {address},\n\n" if personal else "Dear reader,\n\n"
    link = f"\nTo end this: https://{DOMAIN}/u/{number if personal else 'end'}\n"
    left, lines = size - len(greeting) - len(link) - 5, []
    while left > 0:
        lines.append(LINE[:min(60 + len(lines) * 37 % 16, left)])
        left -= len(lines[-1]) + 2
    return greeting + "\n".join(lines) + "\n" + link


class Job:
    """Written below `directory`, which need not exist."""

    def __init__(self, directory, count, size=8192, providers=None, personal=True):
        self.directory = directory
        self.count = count
        self.size = size
        self.providers = providers or []
        self.addresses = list(provider_addresses(count, providers) if providers
                              else plain_addresses(count))
        self.sender = f"bounce@{DOMAIN}"
        os.makedirs(directory, exist_ok=True)
        self.template = self.path("newsletter.eml")     # for our sender: {{fields}}
        self.message = self.path("newsletter.inject")   # for the others: @MARKS@
        self.list = self.path("list.csv")
        self.recipients = self.path("recipients.txt")
        self.write(self.template, OURS_HEADER.format(domain=DOMAIN) +
                   body(size, "{{email}}", "{{number}}", personal), "\r\n")
        self.write(self.message, HEADER.format(domain=DOMAIN, address="@ADDRESS@", number="@NUMBER@") +
                   body(size, "@ADDRESS@", "@NUMBER@", personal), "\r\n")
        self.write(self.list, "email,number\n" + "".join(
            f"{address},{i}\n" for i, address in enumerate(self.addresses)))
        self.write(self.recipients, "".join(f"{address}\n" for address in self.addresses))
        self.make_key()

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def write(path, text, newline="\n"):
        with open(path, "w", newline=newline) as out:
            out.write(text)

    def make_key(self):
        self.key = self.path(f"{DOMAIN}.{SELECTOR}.pem")
        self.record = self.path("dkim.txt")
        if os.path.exists(self.record):
            return
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       stderr=subprocess.DEVNULL)
        public = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        self.write(self.record, "v=DKIM1; k=rsa; p=" + "".join(public.split("\n")[1:-2]) + "\n")
