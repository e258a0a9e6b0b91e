"""Mail over STARTTLS whose encryption the kernel is to take over: what was sent, and who encrypted it.

One story for two places: test_tls_kernel.py plays it on this machine, whose kernel may know nothing of it,
and tests/kernel in a guest whose kernel does. By hand, as root: kernel_tls.py FOLDER
"""

import email
import email.policy
import json
import pathlib
import sys

import sender as sender_module

SMALL, LARGE = "A line of a short letter.\n" * 20, "".join(f"Line {n} of a long one.\n" for n in range(5000))
NEW_KEYS = ("--new-keys-after", "2")  # of each connection
RESULTS = ("on", "missing", "version", "cipher", "keys", "refused", "left")


def counts(sender):
    """Sessions by what came of it, messages by who encrypted them; only what is not 0."""
    found = {r: sender.metric("hikyaku_tls_kernel_sessions_total", result=r) for r in RESULTS}
    found |= {by: sender.metric("hikyaku_tls_messages_total", by=by) for by in ("process", "kernel")}
    return {name: int(value) for name, value in found.items() if value}


def texts(folder):
    """How often each text arrived."""
    found = {}
    for path in folder.glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = message.get_content().replace("\r\n", "\n")
        found[text] = found.get(text, 0) + 1
    return found


def play(folder, choice, campaigns, sink_options=()):
    """Campaigns, each a text and a number of recipients, one after the other; counts after each of them."""
    found = []
    mail = pathlib.Path(folder, "mail")
    mail.mkdir(parents=True)
    with sender_module.Sender(folder, keys=("ed25519",)) as sender, \
            sender_module.Sink("--starttls", "--save", mail, *sink_options) as sink:
        sender.default_site |= {"sessions": 2, "tls": "required", "tls-kernel": choice}
        sender.route("*", sink.port)
        sender.start()
        for number, (text, recipients) in enumerate(campaigns):
            name = f"c{number}"
            sender.create(name, [f"{name}-{n}@shop.example" for n in range(recipients)], text=text)
            status = sender.wait(name)
            found.append(counts(sender) | {"delivered": status["delivered"]})
        arrived = texts(mail)
        assert sender.stop() == 0, sender.log()[-3000:]
    return found, [arrived.get(text, 0) for text, _ in campaigns]


def main():
    folder = pathlib.Path(sys.argv[1])
    facts = {
        "auto": play(folder / "auto", "auto", [(SMALL, 12), (LARGE, 12)]),
        "always": play(folder / "always", "always", [(SMALL, 12)]),
        "never": play(folder / "never", "never", [(LARGE, 3)]),
    }
    facts["new keys"] = play(folder / "keys", "always", [(SMALL, 12), (SMALL + "Again.\n", 6)], NEW_KEYS)
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
