/*
 * sign_limit: how many signatures OpenSSL itself makes, without anything around them: the ceiling
 * for a signing sender that uses it. Contexts are made once per thread and reused; what is signed
 * is a SHA-256 digest, which is what DKIM signs with RSA (RFC 6376 3.3.1) and with Ed25519
 * (RFC 8463 3).
 */
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define DIGEST_BYTES 32
#define SIGNATURE_MAX 1024
#define THREADS_MAX 256

struct run {
	EVP_PKEY *key;
	bool rsa;
	double seconds;
};

struct worker {
	const struct run *run;
	pthread_t thread;
	uint64_t signatures;
	double seconds;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "sign_limit: %s\n", what);
	exit(1);
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The digest differs each time, as it does in mail. */
static void sign_rsa(EVP_PKEY_CTX *ctx, uint8_t *digest, uint8_t *signature)
{
	size_t len = SIGNATURE_MAX;

	if (EVP_PKEY_sign(ctx, signature, &len, digest, DIGEST_BYTES) != 1)
		fail("RSA does not sign");
	memcpy(digest, signature, DIGEST_BYTES);
}

static void sign_ed25519(EVP_MD_CTX *ctx, uint8_t *digest, uint8_t *signature)
{
	size_t len = SIGNATURE_MAX;

	if (EVP_DigestSign(ctx, signature, &len, digest, DIGEST_BYTES) != 1)
		fail("Ed25519 does not sign");
	memcpy(digest, signature, DIGEST_BYTES);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct run *run = w->run;
	EVP_PKEY_CTX *rsa = EVP_PKEY_CTX_new_from_pkey(NULL, run->key, NULL);
	EVP_MD_CTX *ed = EVP_MD_CTX_new();
	uint8_t digest[DIGEST_BYTES] = { 1 }, signature[SIGNATURE_MAX];
	double start, now;

	if (!rsa || !ed)
		fail("out of memory");
	if (run->rsa && (EVP_PKEY_sign_init(rsa) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) != 1))
		fail("RSA cannot be set up");
	if (!run->rsa && EVP_DigestSignInit_ex(ed, NULL, NULL, NULL, NULL, run->key, NULL) != 1)
		fail("Ed25519 cannot be set up");
	start = now = seconds_of(CLOCK_MONOTONIC);
	while (now - start < run->seconds) {
		for (int i = 0; i < 16; i++) {
			if (run->rsa)
				sign_rsa(rsa, digest, signature);
			else
				sign_ed25519(ed, digest, signature);
		}
		w->signatures += 16;
		now = seconds_of(CLOCK_MONOTONIC);
	}
	w->seconds = now - start;
	EVP_PKEY_CTX_free(rsa);
	EVP_MD_CTX_free(ed);
	return NULL;
}

static void measure(EVP_PKEY *key, const char *name, unsigned threads, double seconds)
{
	static struct worker workers[THREADS_MAX];
	struct run run = { key, EVP_PKEY_is_a(key, "RSA"), seconds };
	double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), rate = 0;
	uint64_t total = 0;

	if (!key)
		fail("no key");
	for (unsigned i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .run = &run };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			fail("no thread");
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		total += workers[i].signatures;
		rate += (double)workers[i].signatures / workers[i].seconds;
	}
	cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf(", \"%s\": {\"signatures\": %llu, \"signatures_per_second\": %.1f, "
		"\"signatures_per_cpu_second\": %.1f}", name, (unsigned long long)total, rate,
		(double)total / cpu);
	EVP_PKEY_free(key);
}

static const char help[] =
	"sign_limit [--threads 1..256] [--seconds S] [--only rsa|ed25519]\n";

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long threads = 1;
	double seconds = 3;
	bool rsa = true, ed25519 = true;
	int id;

	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (id) {
		case 't': threads = strtoul(optarg, NULL, 10); break;
		case 's': seconds = strtod(optarg, NULL); break;
		case 'o':
			rsa = strcmp(optarg, "rsa") == 0;
			ed25519 = strcmp(optarg, "ed25519") == 0;
			break;
		default: threads = 0;
		}
	}
	if (threads < 1 || threads > THREADS_MAX || !(seconds > 0) || optind != argc ||
	    (!rsa && !ed25519)) {
		fputs(help, stderr);
		return 2;
	}
	printf("{\"openssl\": \"%s\", \"threads\": %lu", OpenSSL_version(OPENSSL_VERSION_STRING),
		threads);
	if (rsa)
		measure(EVP_RSA_gen(2048), "rsa_2048", (unsigned)threads, seconds);
	if (ed25519)
		measure(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", (unsigned)threads,
			seconds);
	printf("}\n");
	return 0;
}
