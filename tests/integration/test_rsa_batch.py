"""Signatures made eight at a time: OpenSSL's bytes, and no path that depends on a secret."""
import pathlib
import subprocess

import dkim
import pytest

from hostile import Hostile, polite

ROOT = pathlib.Path(__file__).resolve().parents[2]
RSA_MANY = ROOT / "build/host/tests/dkim/rsa_many"
RSA_SECRETS = ROOT / "build/host/tests/dkim/rsa_secrets_many"
LEAK = "depends on uninitialised value"


@pytest.fixture(scope="module", autouse=True)
def programs():
    targets = [str(path.relative_to(ROOT)) for path in (RSA_MANY, RSA_SECRETS)]
    subprocess.run(["make", "-s", "VARIANT=host", *targets], cwd=ROOT, check=True)


def memcheck(*arguments):
    return subprocess.run(["valgrind", "-q", "--error-exitcode=9", str(RSA_SECRETS), *arguments],
                          capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("bits,messages,keys", [(1024, 8000, 20), (2048, 4000, 10), (4096, 80, 1)])
def test_batches_make_the_signatures_that_openssl_makes(bits, messages, keys):
    done = subprocess.run([str(RSA_MANY), str(bits), str(messages), str(keys)],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bit for bit" in done.stdout or "no AVX-512 IFMA" in done.stdout


@pytest.mark.parametrize("bits", ["1024", "2048"])
def test_no_branch_and_no_address_depends_on_a_secret(bits):
    done = memcheck(bits)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lanes signed: 8" in done.stdout
    assert LEAK not in done.stderr


def test_a_branch_on_a_secret_would_be_noticed():
    done = memcheck("1024", "leak")
    assert done.returncode == 9
    assert LEAK in done.stderr


def has_lanes():
    with open("/proc/cpuinfo") as info:
        return "avx512ifma" in info.read()


def readers(count):
    return [f"reader{i}@shop.example" for i in range(count)]


def send_one_by_one(sender, server, count, text, *options):
    """By one session, one message at a time."""
    sender.top["workers"] = 1
    sender.default_site |= {"sessions": 1, "depth": 1}
    sender.route("*", server.port)
    sender.start()
    sender.create("news", readers(count), *options, text=text)
    assert sender.wait("news")["delivered"] == count
    assert server.errors == []
    assert sorted(mail.recipients[0] for mail in server.accepted) == sorted(readers(count))


def all_verify(sender, mails):
    def lookup(name, timeout=5):
        return sender.dns_records[name.decode().rstrip(".")].encode()

    return all(dkim.verify(mail.content, dnsfunc=lookup) for mail in mails)


@pytest.mark.binary
def test_lanes_that_a_session_leaves_empty_sign_for_the_messages_behind(sender_in):
    sender = sender_in()
    with Hostile(polite) as server:
        send_one_by_one(sender, server, 80, "Hello {{email}}\n")
        assert all_verify(sender, server.accepted)
    assert sender.metric("hikyaku_signatures_total") == 80
    assert sender.metric("hikyaku_messages_composed_total") == 80
    rounds = sender.metric("hikyaku_signing_rounds_total")
    # Ten, and a few more when the session was quicker than the leases behind came in.
    assert 10 <= rounds < 30 if has_lanes() else rounds == 80


@pytest.mark.binary
def test_a_message_made_ahead_for_8bit_is_made_anew_for_a_receiver_without(sender_in):
    def three_then_busy(talk):
        talk.serve(mail=lambda _: "421 4.3.2 busy\r\n" if len(server.accepted) == 3 else None)

    def seven_bit(talk):
        talk.serve(features=("PIPELINING",))

    sender = sender_in()
    with Hostile(three_then_busy, seven_bit) as server:
        send_one_by_one(sender, server, 20, "\u98db\u811a {{email}}\n", "--encoding", "8bit")
        mails = server.accepted
        assert all_verify(sender, mails)
    assert [mail.connection for mail in mails] == [0] * 3 + [1] * 17
    assert all(mail.content.isascii() for mail in mails[3:])
    assert not any(mail.content.isascii() for mail in mails[:3])
