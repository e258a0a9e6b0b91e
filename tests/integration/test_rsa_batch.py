"""Signatures made eight at a time: OpenSSL's bytes, and no path that depends on a secret."""
import pathlib
import subprocess

import pytest

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
