/*
 * dkim: what signing costs. Three figures, each beside its ceiling from the same run and taken in
 * turns with it, in CPU seconds of this thread, so that a noisy machine is noisy for both:
 *
 *   signatures/s of dkim_sign   one by one and 16 at once (as a busy worker does), against
 *                               OpenSSL's EVP_PKEY_sign or EVP_DigestSign alone
 *   GB/s of the body hash       against SHA-256 alone over the same bytes
 *   ns of dkim_prepare          and how often it asked for memory (it must not)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/random.h"
#include "base/text.h"
#include "dkim/sign.h"

#define ROUNDS 31
#define TOGETHER_MAX 16
#define SLICE_S 0.04
#define BODY_SIZE (256u << 10) /* fits the second-level cache, as a campaign's body does */

/* ---- asking for memory is counted ---- */

void *__libc_malloc(size_t size);
void *malloc(size_t size);
static u64 malloc_calls;

void *malloc(size_t size)
{
	malloc_calls++;
	return __libc_malloc(size);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "dkim: %s\n", what);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* One load: does some work, returns how much. */
struct load {
	u64 (*run)(struct load *load);
	void *with;
};

static double rate_of(struct load *load)
{
	double start = cpu_s();
	double now = start;
	u64 done = 0;

	for (; now - start < SLICE_S; now = cpu_s())
		done += load->run(load);
	return (double)done / (now - start);
}

/* Medians of both, and the median of the ratios of neighbours. */
struct duel {
	double ours;
	double ceiling;
	double ratio;
};

static struct duel fight(struct load *ours, struct load *ceiling)
{
	double a[ROUNDS];
	double b[ROUNDS];
	double ratio[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		/* Whoever comes first gains from nothing: the order changes every round. */
		if (i % 2)
			a[i] = rate_of(ours);
		b[i] = rate_of(ceiling);
		if (i % 2 == 0)
			a[i] = rate_of(ours);
		ratio[i] = a[i] / b[i];
	}
	return (struct duel){ median(a, ROUNDS), median(b, ROUNDS), median(ratio, ROUNDS) };
}

/* ---- signatures ---- */

struct bare {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *rsa;
	EVP_MD_CTX *ed25519;
	u8 digest[SHA256_SIZE];
};

static u64 run_bare(struct load *load)
{
	struct bare *bare = load->with;
	u8 signature[CRYPTO_SIGNATURE_MAX];
	size_t len = sizeof(signature);

	if (bare->rsa)
		must(EVP_PKEY_sign(bare->rsa, signature, &len, bare->digest, SHA256_SIZE) == 1,
		     "RSA");
	else
		must(EVP_DigestSignInit(bare->ed25519, NULL, NULL, NULL, bare->pkey) == 1 &&
			     EVP_DigestSign(bare->ed25519, signature, &len, bare->digest,
					    SHA256_SIZE) == 1,
		     "Ed25519");
	memcpy(bare->digest, signature, SHA256_SIZE);
	return 1;
}

static void bare_open(struct bare *bare, const struct crypto_key *key)
{
	struct buf pem;
	BIO *bio;

	buf_init(&pem, 16384);
	must(crypto_key_to_pem(key, &pem), "PEM");
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	bare->pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	buf_done(&pem);
	must(bare->pkey != NULL, "key");
	memset(bare->digest, 1, sizeof(bare->digest));
	bare->rsa = NULL;
	bare->ed25519 = NULL;
	if (crypto_key_algorithm(key) == CRYPTO_ED25519) {
		bare->ed25519 = EVP_MD_CTX_new();
		return;
	}
	bare->rsa = EVP_PKEY_CTX_new(bare->pkey, NULL);
	must(EVP_PKEY_sign_init(bare->rsa) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(bare->rsa, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(bare->rsa, EVP_sha256()) == 1,
	     "context");
}

static void bare_close(struct bare *bare)
{
	EVP_PKEY_CTX_free(bare->rsa);
	EVP_MD_CTX_free(bare->ed25519);
	EVP_PKEY_free(bare->pkey);
}

/* A campaign message's signing from start to end: prepare, sign, finish. */
struct campaign {
	struct dkim_plan *plan;
	struct dkim_signer *signer;
	struct buf out[TOGETHER_MAX];
	size_t together; /* messages signed at once */
	u8 body_hash[SHA256_SIZE];
	u64 counter;
};

static const struct dkim_field fields[] = {
	{ SLICE("From"), SLICE(" News <news@news.example>") },
	{ SLICE("To"), SLICE_NONE },
	{ SLICE("Subject"), SLICE(" =?utf-8?Q?The_offers_of_the_week?=") },
	{ SLICE("Date"), SLICE(" Wed, 25 Nov 2026 03:12:00 +0000") },
	{ SLICE("Message-ID"), SLICE_NONE },
	{ SLICE("MIME-Version"), SLICE(" 1.0") },
	{ SLICE("Content-Type"),
	  SLICE(" multipart/alternative;\r\n\tboundary=\"=_0123456789abcdef\"") },
	{ SLICE("List-Unsubscribe"), SLICE_NONE },
	{ SLICE("List-Unsubscribe-Post"), SLICE(" List-Unsubscribe=One-Click") },
};

static void prepare(struct campaign *campaign, struct dkim_work *work, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	char id[] = " <0000000000000000@news.example>";
	char link[] = " <https://u.news.example/u/0000000000000000>,\r\n"
		      "\t<mailto:unsubscribe@news.example?subject=0000000000000000>";
	struct slice values[] = { SLICE(" somebody@mailbox.example"), { id, sizeof(id) - 1 },
				  { link, sizeof(link) - 1 } };

	for (int i = 0; i < 8; i++)
		id[17 - i] = hex[campaign->counter >> (4 * i) & 15];
	campaign->counter++;
	buf_reset(out);
	must(dkim_prepare(work, campaign->plan, values, array_count(values), campaign->body_hash,
			  1790000000, out),
	     "prepare");
}

static u64 run_campaign(struct load *load)
{
	struct campaign *campaign = load->with;
	struct dkim_work work[TOGETHER_MAX];
	struct dkim_work *works[TOGETHER_MAX] = { NULL };
	size_t count = campaign->together;

	for (size_t i = 0; i < count; i++) {
		works[i] = &work[i];
		prepare(campaign, &work[i], &campaign->out[i]);
	}
	must(dkim_sign(campaign->signer, works, count), "sign");
	for (size_t i = 0; i < count; i++)
		dkim_finish(&work[i], campaign->out[i].ptr);
	return count;
}

static u64 run_prepare(struct load *load)
{
	struct campaign *campaign = load->with;
	struct dkim_work work;

	for (int i = 0; i < 100; i++)
		prepare(campaign, &work, &campaign->out[0]);
	return 100;
}

static void campaign_open(struct campaign *campaign, const struct dkim_key *const *keys,
			  size_t count)
{
	struct dkim_plan_params params = {
		.keys = keys,
		.key_count = count,
		.from_domain = SLICE("news.example"),
		.fields = fields,
		.field_count = array_count(fields),
		.body_canon = DKIM_RELAXED,
		.expire_s = 604800,
	};

	*campaign = (struct campaign){ 0 };
	campaign->plan = dkim_plan_make(&params, NULL);
	campaign->signer = dkim_signer_open();
	must(campaign->plan && campaign->signer, "plan");
	for (size_t i = 0; i < TOGETHER_MAX; i++) {
		struct buf *out = &campaign->out[i];

		buf_init(out, dkim_plan_header_max(campaign->plan));
		must(buf_reserve(out, out->max) != NULL, "memory");
	}
}

static void campaign_close(struct campaign *campaign)
{
	dkim_plan_free(campaign->plan);
	dkim_signer_close(campaign->signer);
	for (size_t i = 0; i < TOGETHER_MAX; i++)
		buf_done(&campaign->out[i]);
}

static void bench_sign(const char *name, enum crypto_algorithm algorithm, u32 bits)
{
	struct dkim_key key = { .domain = "news.example", .selector = "s1" };
	const struct dkim_key *const keys[] = { &key };
	struct campaign campaign;
	struct bare bare;
	struct load ours = { run_campaign, &campaign };
	struct load ceiling = { run_bare, &bare };
	struct load preparing = { run_prepare, &campaign };
	struct duel duel;
	double rate[ROUNDS];
	u64 calls;

	key.private_key = crypto_key_generate(algorithm, bits, NULL);
	must(key.private_key != NULL, "key");
	campaign_open(&campaign, keys, 1);
	bare_open(&bare, key.private_key);
	for (campaign.together = 1; campaign.together <= TOGETHER_MAX; campaign.together *= 16) {
		duel = fight(&ours, &ceiling);
		printf("sign %-9s %2zu at once %8.0f messages/s, OpenSSL alone %8.0f signatures/s, "
		       "ratio %.3f\n",
		       name, campaign.together, duel.ours, duel.ceiling, duel.ratio);
	}
	calls = malloc_calls;
	for (int i = 0; i < ROUNDS; i++)
		rate[i] = rate_of(&preparing);
	calls = malloc_calls - calls;
	printf("prepare %-6s %8.0f ns a message, %zu bytes of header, %llu allocations\n", name,
	       1e9 / median(rate, ROUNDS), dkim_plan_header_max(campaign.plan),
	       (unsigned long long)calls);
	bare_close(&bare);
	campaign_close(&campaign);
	crypto_key_free(key.private_key);
}

/* ---- bodies ---- */

struct body {
	struct buf text;
	enum dkim_canon canon;
};

static u64 run_hash(struct load *load)
{
	struct body *body = load->with;
	struct sha256 hash;
	u8 out[SHA256_SIZE];

	sha256_init(&hash);
	sha256_add(&hash, body->text.ptr, body->text.len);
	sha256_finish(&hash, out);
	return body->text.len;
}

static u64 run_body(struct load *load)
{
	struct body *body = load->with;
	struct dkim_body state;
	u8 out[SHA256_SIZE];

	dkim_body_init(&state, body->canon);
	dkim_body_feed(&state, body->text.ptr, body->text.len);
	dkim_body_finish(&state, out);
	return body->text.len;
}

/* Lines of 76 characters of words with one space between them; soft line ends; some empty lines. */
static void make_quoted_printable(struct buf *text, struct random *random)
{
	size_t column = 0;

	while (text->len < BODY_SIZE) {
		for (u64 n = 2 + random_below(random, 9); n > 0; n--, column++)
			buf_add_char(text, (char)('a' + random_below(random, 26)));
		if (column++ < 66) {
			buf_add_char(text, ' ');
			continue;
		}
		buf_add_text(text, random_below(random, 10) ? "=\r\n" : "\r\n\r\n");
		column = 0;
	}
}

/* HTML as designers write it: indented by spaces and tabs, short lines. */
static void make_indented(struct buf *text, struct random *random)
{
	while (text->len < BODY_SIZE) {
		for (u64 n = random_below(random, 12); n > 0; n--)
			buf_add_text(text, random_below(random, 4) ? "  " : "\t");
		buf_add_text(text, "<td style=3D\"color:#333\">");
		for (u64 n = random_below(random, 40); n > 0; n--)
			buf_add_char(text, (char)('a' + random_below(random, 26)));
		buf_add_text(text, "</td>\r\n");
	}
}

static void bench_body(const char *name, void (*make)(struct buf *, struct random *),
		       enum dkim_canon canon)
{
	struct body body = { .canon = canon };
	struct load ours = { run_body, &body };
	struct load ceiling = { run_hash, &body };
	struct random random;
	struct duel duel;

	random_seed(&random, 1);
	buf_init(&body.text, 2 * BODY_SIZE);
	make(&body.text, &random);
	duel = fight(&ours, &ceiling);
	printf("body %-22s %5.2f GB/s, SHA-256 alone %5.2f GB/s, ratio %.3f\n", name,
	       duel.ours / 1e9, duel.ceiling / 1e9, duel.ratio);
	buf_done(&body.text);
}

int main(void)
{
	bench_sign("RSA-1024", CRYPTO_RSA, 1024);
	bench_sign("RSA-1536", CRYPTO_RSA, 1536);
	bench_sign("RSA-2048", CRYPTO_RSA, 2048);
	bench_sign("RSA-3072", CRYPTO_RSA, 3072);
	bench_sign("RSA-4096", CRYPTO_RSA, 4096);
	bench_sign("Ed25519", CRYPTO_ED25519, 0);
	bench_body("relaxed, QP text", make_quoted_printable, DKIM_RELAXED);
	bench_body("relaxed, indented HTML", make_indented, DKIM_RELAXED);
	bench_body("simple, QP text", make_quoted_printable, DKIM_SIMPLE);
	return 0;
}
