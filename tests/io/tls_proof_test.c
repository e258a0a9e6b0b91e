/* What a server's certificate has to prove: DANE and PKIX, against OpenSSL's server over memory. */
#include "base/fail_alloc.h"
#include "base/text.h"
#include "io/tls.h"
#include "io/tls_server.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A certificate and its key, as a server or an authority has them. */
struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

static struct {
	struct identity root;     /* of our own */
	struct identity good;     /* for mx.test, by the root */
	struct identity expired;  /* likewise, until yesterday */
	struct identity lone;     /* self-signed, for other.test, until yesterday */
	char roots[64];           /* file with the root, which the system trusts here */
} world;

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* `by` NULL: by itself. `name` NULL: an authority. Ends so many seconds from now. */
static struct identity make_identity(const struct identity *by, const char *name, long ends)
{
	struct identity one = { X509_new(), EVP_EC_gen("P-256") };
	const struct identity *issuer = by ? by : &one;
	const char *title = name ? name : "Root of a test";
	static long serial;
	char names[128];

	ASN1_INTEGER_set(X509_get_serialNumber(one.cert), ++serial);
	X509_set_version(one.cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(one.cert), -3 * 86400);
	X509_gmtime_adj(X509_getm_notAfter(one.cert), ends);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(one.cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)title, -1, -1, 0);
	X509_set_issuer_name(one.cert, X509_get_subject_name(issuer->cert));
	X509_set_pubkey(one.cert, one.key);
	if (name) {
		snprintf(names, sizeof(names), "DNS:%s", name);
		add_extension(one.cert, issuer->cert, NID_subject_alt_name, names);
	} else {
		add_extension(one.cert, issuer->cert, NID_basic_constraints, "critical,CA:TRUE");
	}
	assert_true(X509_sign(one.cert, issuer->key, EVP_sha256()) > 0);
	return one;
}

static int make_world(void **state)
{
	FILE *file;

	(void)state;
	world.root = make_identity(NULL, NULL, 86400);
	world.good = make_identity(&world.root, "mx.test", 86400);
	world.expired = make_identity(&world.root, "mx.test", -86400);
	world.lone = make_identity(NULL, "other.test", -86400);
	snprintf(world.roots, sizeof(world.roots), "/tmp/hikyaku-roots-%d.pem", (int)getpid());
	file = fopen(world.roots, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, world.root.cert), 1);
	fclose(file);
	/* OpenSSL's own way to say where trusted roots are. */
	setenv("SSL_CERT_FILE", world.roots, 1);
	return 0;
}

static int end_world(void **state)
{
	struct identity *all[] = { &world.root, &world.good, &world.expired, &world.lone };

	(void)state;
	for (size_t i = 0; i < array_count(all); i++) {
		X509_free(all[i]->cert);
		EVP_PKEY_free(all[i]->key);
	}
	return unlink(world.roots);
}

/* ---- TLSA records ---- */

static u8 record_bytes[8][2048];
static struct tls_tlsa records[8];
static u32 record_count;

/* The record that a domain with this certificate would publish. */
static void publish(const struct identity *one, u8 usage, u8 selector, u8 matching)
{
	u8 *bytes = record_bytes[record_count];
	unsigned char *whole = NULL;
	int len = selector ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(one->cert), &whole) :
			     i2d_X509(one->cert, &whole);
	unsigned int size = (unsigned int)len;

	assert_true(len > 0 && (size_t)len < sizeof(record_bytes[0]));
	if (matching == 0)
		memcpy(bytes, whole, (size_t)len);
	else
		assert_int_equal(EVP_Digest(whole, (size_t)len, bytes, &size,
					    matching == 1 ? EVP_sha256() : EVP_sha512(), NULL),
				 1);
	OPENSSL_free(whole);
	records[record_count++] = (struct tls_tlsa){ usage, selector, matching,
						     { (const char *)bytes, size } };
}

static void publish_bytes(u8 usage, u8 selector, u8 matching, struct slice data)
{
	records[record_count++] = (struct tls_tlsa){ usage, selector, matching, data };
}

static void publish_wrong_digest(void)
{
	publish_bytes(3, 1, 1, SLICE("0123456789abcdef0123456789abcdef"));
}

/* ---- a dialogue ---- */

struct talk {
	enum tls_result result;
	bool proven;
	bool resumed;
	bool server_done;
	enum tls_flaw flaw;
	const char *reason;
	char why[128];
};

static struct tls_context *open_context(void)
{
	const struct tls_params params = { .sessions_max = 8 };
	struct error error = { "" };
	struct tls_context *context = tls_context_open(&params, &error);

	if (!context)
		fail_msg("%s", error.text);
	return context;
}

static SSL_CTX *serve(const struct identity *one, int version)
{
	SSL_CTX *ctx = tls_server_open(version);

	assert_int_equal(SSL_CTX_use_certificate(ctx, one->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, one->key), 1);
	assert_int_equal(SSL_CTX_add1_chain_cert(ctx, world.root.cert), 1);
	return ctx;
}

static void carry(struct tls *tls, SSL *server, BIO *in, BIO *out)
{
	char wire[16384];
	struct slice cipher;
	char byte;
	size_t got;
	int n;

	while ((cipher = tls_output(tls)).len > 0) {
		assert_int_equal(BIO_write(in, cipher.ptr, (int)cipher.len), cipher.len);
		tls_sent(tls, cipher.len);
	}
	SSL_do_handshake(server);
	n = BIO_read(out, wire, sizeof(wire));
	tls_feed(tls, (struct slice){ wire, n > 0 ? (size_t)n : 0 });
	if (tls_handshake(tls) != TLS_OK)
		return;
	/* Tickets of TLS 1.3 come behind the handshake. */
	while (n > 0) {
		assert_int_equal(tls_read(tls, &byte, 1, &got), TLS_AGAIN);
		n = BIO_read(out, wire, sizeof(wire));
		tls_feed(tls, (struct slice){ wire, n > 0 ? (size_t)n : 0 });
	}
}

/* Closes the client at its end. */
static struct talk talk_as(struct tls *tls, SSL_CTX *ctx)
{
	SSL *server = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());
	struct talk talk = { .result = TLS_AGAIN };

	assert_true(tls && server && in && out);
	BIO_set_mem_eof_return(in, -1);
	BIO_set_mem_eof_return(out, -1);
	SSL_set_bio(server, in, out);
	SSL_set_accept_state(server);
	for (u32 i = 0; i < 6; i++) {
		talk.result = tls_handshake(tls);
		if (talk.result == TLS_FAILED)
			break;
		carry(tls, server, in, out);
	}
	talk.proven = tls_is_proven(tls);
	talk.flaw = tls_flaw(tls);
	talk.reason = tls_reason(tls);
	talk.resumed = tls_was_resumed(tls);
	talk.server_done = SSL_is_init_finished(server) == 1 && talk.result == TLS_OK;
	snprintf(talk.why, sizeof(talk.why), "%s", tls_why(tls));
	tls_close(tls);
	SSL_free(server);
	return talk;
}

static struct talk talk_to(struct tls_context *context, SSL_CTX *ctx, const struct tls_peer *peer)
{
	return talk_as(tls_open(context, peer), ctx);
}

static struct tls_peer dane_peer(const char *name)
{
	return (struct tls_peer){ .server_name = slice_of(name),
				  .proof = TLS_PROOF_DANE,
				  .records = records,
				  .record_count = record_count };
}

static struct talk talk_once(const struct identity *one, const struct tls_peer *peer)
{
	struct tls_context *context = open_context();
	SSL_CTX *ctx = serve(one, 0);
	struct talk talk = talk_to(context, ctx, peer);

	SSL_CTX_free(ctx);
	tls_context_close(context);
	return talk;
}

/* Meets the server `one` as mx.test with the records published since the last call. */
static struct talk meet_by_dane(const struct identity *one)
{
	struct tls_peer peer = dane_peer("mx.test");

	record_count = 0;
	return talk_once(one, &peer);
}

static void check_good(struct talk talk)
{
	if (talk.result != TLS_OK)
		fail_msg("%s", talk.why);
	assert_true(talk.proven && talk.server_done);
}

static void check_refused(struct talk talk, const char *why)
{
	assert_int_equal(talk.result, TLS_FAILED);
	assert_false(talk.proven);
	assert_string_equal(talk.why, why);
	/* The same words, but they outlive the connection. */
	assert_string_equal(talk.reason, why);
	assert_int_not_equal(talk.flaw, TLS_FLAW_NONE);
}

/* ---- DANE ---- */

#define no_match X509_verify_cert_error_string(X509_V_ERR_DANE_NO_MATCH)

static void an_end_entity_record_matches_whatever_name_and_time_say(void **state)
{
	(void)state;
	for (u8 selector = 0; selector <= 1; selector++) {
		for (u8 matching = 0; matching <= 2; matching++) {
			publish(&world.lone, 3, selector, matching);
			check_good(meet_by_dane(&world.lone));
		}
	}
}

static void another_key_than_the_published_one_is_refused(void **state)
{
	(void)state;
	publish_wrong_digest();
	check_refused(meet_by_dane(&world.good), no_match);
	publish(&world.lone, 3, 0, 1);
	check_refused(meet_by_dane(&world.good), no_match);
}

static void during_a_roll_over_one_of_two_is_enough(void **state)
{
	(void)state;
	publish_wrong_digest();
	publish(&world.good, 3, 1, 1);
	check_good(meet_by_dane(&world.good));
}

static void a_trust_anchor_vouches_for_names_and_times_too(void **state)
{
	struct tls_peer peer;

	(void)state;
	publish(&world.root, 2, 0, 1);
	check_good(meet_by_dane(&world.good));
	publish(&world.root, 2, 1, 2);
	check_good(meet_by_dane(&world.good));
	publish(&world.root, 2, 0, 1);
	check_refused(meet_by_dane(&world.expired), "certificate has expired");
	publish(&world.root, 2, 0, 1);
	peer = dane_peer("elsewhere.test");
	check_refused(talk_once(&world.good, &peer), "hostname mismatch");
	peer.other_name = SLICE("mx.test");
	check_good(talk_once(&world.good, &peer));
	record_count = 0;
}

/* A root of the system's is not what the domain published. */
static void a_trusted_root_does_not_stand_in_for_the_record(void **state)
{
	struct tls_context *context = open_context();
	SSL_CTX *ctx = serve(&world.good, 0);
	struct tls_peer pkix = { .server_name = SLICE("mx.test"), .proof = TLS_PROOF_PKIX };
	struct tls_peer dane;

	(void)state;
	check_good(talk_to(context, ctx, &pkix)); /* the roots are read */
	publish(&world.lone, 2, 0, 1);
	dane = dane_peer("mx.test");
	record_count = 0;
	assert_int_equal(talk_to(context, ctx, &dane).result, TLS_FAILED);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

/* RFC 7672 section 2.2: none can be used, so any certificate will do; one can, so it must. */
static void records_that_cannot_be_read_do_not_count(void **state)
{
	(void)state;
	publish_bytes(3, 0, 0, SLICE("this is no certificate"));
	check_good(meet_by_dane(&world.lone));
	publish_bytes(3, 0, 0, SLICE("this is no certificate"));
	publish_wrong_digest();
	assert_int_equal(meet_by_dane(&world.lone).result, TLS_FAILED);
}

/* ---- PKIX ---- */

static struct talk meet_by_pkix(const struct identity *one, const char *name, bool wish)
{
	const struct tls_peer peer = { .server_name = slice_of(name),
				       .proof = TLS_PROOF_PKIX,
				       .proof_is_wish = wish };

	return talk_once(one, &peer);
}

static void a_chain_to_a_trusted_root_for_the_name_is_good(void **state)
{
	(void)state;
	check_good(meet_by_pkix(&world.good, "mx.test", false));
	check_good(meet_by_pkix(&world.good, "MX.Test", false));
}

static void what_pkix_does_not_vouch_for_is_refused(void **state)
{
	(void)state;
	check_refused(meet_by_pkix(&world.good, "elsewhere.test", false), "hostname mismatch");
	check_refused(meet_by_pkix(&world.good, "192.0.2.1", false), "IP address mismatch");
	check_refused(meet_by_pkix(&world.good, "192.0.2.1:25", false), "IP address mismatch");
	check_refused(meet_by_pkix(&world.expired, "mx.test", false), "certificate has expired");
	assert_int_equal(meet_by_pkix(&world.lone, "other.test", false).result, TLS_FAILED);
}

static void what_is_wrong_with_a_certificate_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(meet_by_pkix(&world.expired, "mx.test", false).flaw, TLS_FLAW_EXPIRED);
	assert_int_equal(meet_by_pkix(&world.good, "elsewhere.test", false).flaw, TLS_FLAW_NAME);
	assert_int_equal(meet_by_pkix(&world.good, "192.0.2.1", false).flaw, TLS_FLAW_NAME);
	assert_int_equal(meet_by_pkix(&world.lone, "mx.test", false).flaw, TLS_FLAW_UNTRUSTED);
	assert_int_equal(meet_by_pkix(&world.expired, "mx.test", true).flaw, TLS_FLAW_EXPIRED);
	assert_int_equal(meet_by_pkix(&world.good, "mx.test", false).flaw, TLS_FLAW_NONE);
	publish_wrong_digest();
	assert_int_equal(meet_by_dane(&world.good).flaw, TLS_FLAW_UNTRUSTED);
}

static void a_wish_that_is_not_met_is_told_and_ends_nothing(void **state)
{
	struct talk talk = meet_by_pkix(&world.good, "elsewhere.test", true);

	(void)state;
	assert_true(talk.result == TLS_OK && talk.server_done);
	assert_false(talk.proven);
	check_good(meet_by_pkix(&world.good, "mx.test", true));
}

static void without_a_demand_any_certificate_is_taken(void **state)
{
	const struct tls_peer peer = { .server_name = SLICE("mx.test") };

	(void)state;
	check_good(talk_once(&world.lone, &peer));
	check_good(talk_once(&world.expired, &peer));
}

/* ---- resumption ---- */

static void a_session_is_resumed_by_its_own_key_alone(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < array_count(versions); i++) {
		struct tls_context *context = open_context();
		SSL_CTX *ctx = serve(&world.lone, versions[i]);
		struct tls_peer any = { .server_name = SLICE("mx.test"),
					.session_key = SLICE("a") };
		struct tls_peer dane;

		publish(&world.lone, 3, 1, 1);
		dane = dane_peer("mx.test");
		dane.session_key = SLICE("a#dane");
		record_count = 0;
		check_good(talk_to(context, ctx, &any));
		assert_true(talk_to(context, ctx, &any).resumed);
		assert_false(talk_to(context, ctx, &dane).resumed);
		assert_true(talk_to(context, ctx, &dane).resumed);
		SSL_CTX_free(ctx);
		tls_context_close(context);
	}
}

static void a_refused_session_is_not_kept(void **state)
{
	struct tls_context *context = open_context();
	SSL_CTX *ctx = serve(&world.lone, 0);
	struct tls_peer peer;

	(void)state;
	publish_wrong_digest();
	peer = dane_peer("mx.test");
	peer.session_key = SLICE("a#dane");
	record_count = 0;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(talk_to(context, ctx, &peer).result, TLS_FAILED);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

/* Whichever allocation fails: no client, or one that demands its proof. */
static void without_memory_nothing_is_let_through(void **state)
{
	struct tls_context *context = open_context();
	SSL_CTX *ctx = serve(&world.lone, 0);
	struct tls_peer peer;
	bool failed = true;
	u32 refused = 0;

	(void)state;
	publish_wrong_digest();
	publish(&world.good, 2, 0, 0);
	peer = dane_peer("mx.test");
	record_count = 0;
	for (u32 n = 1; failed; n++) {
		struct tls *tls;

		fail_alloc(n);
		tls = tls_open(context, &peer);
		failed = fail_alloc_end();
		refused += !tls;
		if (tls)
			assert_int_equal(talk_as(tls, ctx).result, TLS_FAILED);
	}
	assert_true(refused > 10);
	SSL_CTX_free(ctx);
	tls_context_close(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_entity_record_matches_whatever_name_and_time_say),
		cmocka_unit_test(another_key_than_the_published_one_is_refused),
		cmocka_unit_test(during_a_roll_over_one_of_two_is_enough),
		cmocka_unit_test(a_trust_anchor_vouches_for_names_and_times_too),
		cmocka_unit_test(a_trusted_root_does_not_stand_in_for_the_record),
		cmocka_unit_test(records_that_cannot_be_read_do_not_count),
		cmocka_unit_test(a_chain_to_a_trusted_root_for_the_name_is_good),
		cmocka_unit_test(what_pkix_does_not_vouch_for_is_refused),
		cmocka_unit_test(what_is_wrong_with_a_certificate_is_told_apart),
		cmocka_unit_test(a_wish_that_is_not_met_is_told_and_ends_nothing),
		cmocka_unit_test(without_a_demand_any_certificate_is_taken),
		cmocka_unit_test(a_session_is_resumed_by_its_own_key_alone),
		cmocka_unit_test(a_refused_session_is_not_kept),
		cmocka_unit_test(without_memory_nothing_is_let_through),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
