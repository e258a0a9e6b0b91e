/*
 * Proves that what the sysroot holds works in one static program: every library does one real
 * thing and says its version. Built with the sysroot's compiler and run by `make sysroot-test`.
 * Exits with 1 as soon as a step fails, naming it.
 */
#include <confuse.h>
#include <curl/curl.h>
#include <expat.h>
#include <histedit.h>
#include <idn2.h>
#include <jansson.h>
#include <libpsl.h>
#include <liburing.h>
#include <lmdb.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <term.h>
#include <unbound.h>
#include <unistd.h>

static void ok(bool passed, const char *what, const char *detail)
{
	printf("%-6s %s: %s\n", passed ? "ok" : "FAILED", what, detail ? detail : "");
	if (!passed)
		exit(1);
}

static int sign_of(int number)
{
	return (number > 0) - (number < 0);
}

/* The C library's memcmp is our own: all lengths, differences and alignments. */
static void bytes_compare(void)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 }, zeros[64] = { 0 };
	bool right = true;

	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; len <= 40; len++)
			for (size_t at = 0; at <= len; at++) {
				b[start + at] = 0x80;
				a[start + at + 1] = 0xff;
				right = right && sign_of(memcmp(a + start, zeros + 5, at)) == 0 &&
					sign_of(memcmp(a + start, b + start, len)) ==
						(at < len ? -1 : 0) &&
					sign_of(memcmp(b + start, a + start, len)) ==
						(at < len ? 1 : 0);
				a[start + at + 1] = b[start + at] = 0;
			}
	ok(right, "musl compares bytes", "memcmp");
}

static void *stack_touch(void *arg)
{
	volatile char deep[512 * 1024];

	for (size_t i = 0; i < sizeof(deep); i += 4096)
		deep[i] = 1;
	return arg;
}

/* musl would give threads 128 KiB; the link says 1 MiB, for what libraries do on our threads. */
static void thread_has_a_deep_stack(void)
{
	pthread_t thread;
	void *back = NULL;
	char mark;

	ok(pthread_create(&thread, NULL, stack_touch, &mark) == 0 &&
		   pthread_join(thread, &back) == 0 && back == &mark,
	   "musl runs a thread", "deep stack");
}

/* The kind of ring that the product uses, and one operation through it. */
static void ring_runs(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
	};
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char version[32];

	snprintf(version, sizeof(version), "%d.%d", io_uring_major_version(),
		 io_uring_minor_version());
	ok(io_uring_queue_init_params(8, &ring, &params) == 0, "liburing makes a ring", version);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data64(sqe, 7);
	ok(io_uring_submit_and_wait(&ring, 1) == 1 && io_uring_peek_cqe(&ring, &cqe) == 0 &&
		cqe->user_data == 7 && cqe->res == 0, "liburing runs an operation", "nop");
	io_uring_queue_exit(&ring);
}

static void database_keeps_a_record(const char *folder)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	MDB_val key = { 3, "key" }, value = { 5, "value" }, found;

	ok(mdb_env_create(&env) == 0 && mdb_env_open(env, folder, 0, 0600) == 0 &&
		mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0 &&
		mdb_put(txn, dbi, &key, &value, 0) == 0 && mdb_txn_commit(txn) == 0,
		"lmdb commits", mdb_version(NULL, NULL, NULL));
	ok(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0 &&
		   mdb_get(txn, dbi, &key, &found) == 0 && found.mv_size == 5 &&
		   memcmp(found.mv_data, "value", 5) == 0,
	   "lmdb reads it back", "");
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

/* Signs with a fresh key, verifies, and sees that a changed message is refused. digest is NULL for
 * Ed25519, which brings its own. */
static void signature_verifies(const char *what, EVP_PKEY *pkey, const EVP_MD *digest)
{
	unsigned char signature[512], message[] = "header";
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	ok(pkey && EVP_DigestSignInit(ctx, NULL, digest, NULL, pkey) == 1 &&
		   EVP_DigestSign(ctx, signature, &len, message, sizeof(message)) == 1,
	   what, "signed");
	EVP_MD_CTX_reset(ctx);
	ok(EVP_DigestVerifyInit(ctx, NULL, digest, NULL, pkey) == 1 &&
		   EVP_DigestVerify(ctx, signature, len, message, sizeof(message)) == 1,
	   what, "verified");
	EVP_MD_CTX_reset(ctx);
	message[0] ^= 1;
	ok(EVP_DigestVerifyInit(ctx, NULL, digest, NULL, pkey) == 1 &&
		EVP_DigestVerify(ctx, signature, len, message, sizeof(message)) != 1, what,
		"changed message refused");
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

static void openssl_signs(void)
{
	ok(OpenSSL_version_num() >= 0x30500000L, "openssl", OpenSSL_version(OPENSSL_VERSION));
	ok(true, "openssl sees", OpenSSL_version(OPENSSL_CPU_INFO));
	signature_verifies("rsa-2048", EVP_RSA_gen(2048), EVP_sha256());
	signature_verifies("ecdsa p-256", EVP_EC_gen("P-256"), EVP_sha256());
	signature_verifies("ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
}

static SSL_CTX *tls_context(const SSL_METHOD *method, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	ok(ctx && SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
		SSL_CTX_set_max_proto_version(ctx, version) == 1, "openssl makes a context", "");
	SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
	return ctx;
}

/* Moves what one side has written to the other side's input. */
static void carry(SSL *from, SSL *to)
{
	char buf[4096];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from), buf, sizeof(buf))) > 0)
		BIO_write(SSL_get_rbio(to), buf, n);
}

/* Lets both sides talk until nothing is left to say: in TLS 1.3 that includes the tickets. */
static void converse(SSL *client, SSL *server)
{
	char byte;

	for (int turn = 0; turn < 8; turn++) {
		SSL_read(client, &byte, 1);
		carry(client, server);
		SSL_read(server, &byte, 1);
		carry(server, client);
	}
}

/* Two handshakes in memory with a self-signed certificate; the second resumes the first. */
static void tls_connects(int version, EVP_PKEY *pkey, const char *what)
{
	SSL_CTX *client_ctx = tls_context(TLS_client_method(), version);
	SSL_CTX *server_ctx = tls_context(TLS_server_method(), version);
	X509 *cert = X509_new();
	SSL_SESSION *session = NULL;

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	ok(X509_set_pubkey(cert, pkey) == 1 && X509_sign(cert, pkey, EVP_sha256()) > 0 &&
		SSL_CTX_use_certificate(server_ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(server_ctx, pkey) == 1, "openssl makes a certificate", what);
	for (int resumed = 0; resumed < 2; resumed++) {
		SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);

		SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
		SSL_set_connect_state(client);
		SSL_set_accept_state(server);
		if (session)
			SSL_set_session(client, session);
		converse(client, server);
		ok(SSL_is_init_finished(client) && SSL_is_init_finished(server) &&
			SSL_session_reused(client) == resumed, what,
			resumed ? "resumed" : SSL_get_cipher_name(client));
		SSL_SESSION_free(session);
		session = SSL_get1_session(client);
		SSL_shutdown(client);
		SSL_free(client);
		SSL_free(server);
	}
	SSL_SESSION_free(session);
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
	X509_free(cert);
	EVP_PKEY_free(pkey);
}

static void resolver_answers(void)
{
	struct ub_ctx *ctx = ub_ctx_create();
	struct ub_result *result = NULL;

	ok(ctx != NULL, "libunbound makes a context", ub_version());
	/* Local data, so that the whole library runs and no packet leaves. */
	ok(ub_ctx_zone_add(ctx, "example.test.", "static") == 0 &&
		ub_ctx_data_add(ctx, "mx.example.test. IN A 192.0.2.1") == 0 &&
		ub_resolve(ctx, "mx.example.test", 1, 1, &result) == 0 && result->havedata &&
		result->len[0] == 4 && memcmp(result->data[0], "\xc0\x00\x02\x01", 4) == 0,
		"libunbound resolves", "mx.example.test");
	ub_resolve_free(result);
	ub_ctx_delete(ctx);
}

static void texts_are_read(void)
{
	json_t *json = json_loads("{\"to\": [\"ann\", \"bob\"]}", 0, NULL);
	cfg_opt_t options[] = { CFG_INT("workers", 1, CFGF_NONE), CFG_END() };
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	XML_Parser xml = XML_ParserCreate("UTF-8");
	char *ascii = NULL;
	QRcode *qr;

	ok(json && json_array_size(json_object_get(json, "to")) == 2, "jansson parses",
		jansson_version_str());
	json_decref(json);
	ok(cfg_parse_buf(cfg, "workers = 2\n") == CFG_SUCCESS && cfg_getint(cfg, "workers") == 2,
		"libconfuse parses", confuse_version);
	cfg_free(cfg);
	/* Version 1, level M takes 14 bytes (ISO/IEC 18004 table 7). */
	qr = QRcode_encodeData(14, (const unsigned char *)"otpauth://totp", 0, QR_ECLEVEL_M);
	ok(qr && qr->width == 21, "libqrencode draws", "version 1");
	QRcode_free(qr);
	ok(XML_Parse(xml, "<a>\xc3\xa9</a>", 9, 1) == XML_STATUS_OK, "expat parses",
	   XML_ExpatVersion());
	XML_ParserFree(xml);
	ok(idn2_to_ascii_8z("\xe4\xbe\x8b\xe3\x81\x88.jp", &ascii, IDN2_NONTRANSITIONAL) ==
			   IDN2_OK &&
		   strcmp(ascii, "xn--r8jz45g.jp") == 0,
	   "libidn2 converts", "xn--r8jz45g.jp");
	idn2_free(ascii);
	ok(idn2_check_version("2.3") != NULL, "libidn2", idn2_check_version(NULL));
	ok(strcmp(psl_registrable_domain(psl_builtin(), "a.b.example.co.jp"), "example.co.jp") == 0 &&
		   strcmp(psl_registrable_domain(psl_builtin(), "a.b.xn--55qx5d.cn"),
			  "b.xn--55qx5d.cn") == 0,
	   "libpsl knows organisations", psl_get_version());
}

/* HTTP and HTTPS and nothing else; what it cannot do it says, without asking anybody. */
static void fetching_is_http_alone(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	CURL *curl = curl_easy_init();

	ok(strcmp(info->protocols[0], "http") == 0 && strcmp(info->protocols[1], "https") == 0 &&
		   !info->protocols[2] && strstr(info->ssl_version, "OpenSSL/3."),
	   "libcurl speaks http and https", info->version);
	ok(curl && curl_easy_setopt(curl, CURLOPT_URL, "file:///etc/passwd") == CURLE_OK &&
		   curl_easy_perform(curl) == CURLE_UNSUPPORTED_PROTOCOL,
	   "libcurl refuses", "file:");
	curl_easy_cleanup(curl);
}

/* Terminals as a serial line, a screen and an ssh session name them; there are no files of them. */
static void terminals_are_known(void)
{
	const char *names[] = { "vt100", "vt220", "linux", "xterm", "xterm-256color", "screen",
				"tmux-256color" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok(tgetent(NULL, names[i]) == 1 && tigetstr("cup") && tigetnum("cols") == 80,
		   "ncurses knows", names[i]);
	ok(tgetent(NULL, "no-such-terminal") <= 0, "ncurses does not know", "no-such-terminal");
}

static void line_is_read(void)
{
	FILE *in = tmpfile(), *out = tmpfile();
	History *past = history_init();
	EditLine *el;
	HistEvent event;
	const char *line;
	int len = 0;

	fputs("queue list\n", in);
	rewind(in);
	el = el_init("smoke", in, out, out);
	ok(el && past && history(past, &event, H_SETSIZE, 10) >= 0 &&
		   el_set(el, EL_HIST, history, past) == 0,
	   "libedit starts", "");
	line = el_gets(el, &len);
	ok(line && len == 11 && strcmp(line, "queue list\n") == 0, "libedit reads a line", "");
	ok(history(past, &event, H_ENTER, line) >= 0 && history(past, &event, H_LAST) >= 0 &&
		   strcmp(event.str, "queue list\n") == 0,
	   "libedit remembers it", "");
	history_end(past);
	el_end(el);
	fclose(in);
	fclose(out);
}

int main(void)
{
	char folder[] = "/tmp/hikyaku-smoke-XXXXXX", file[64];

	ok(mkdtemp(folder) != NULL, "folder", folder);
	bytes_compare();
	thread_has_a_deep_stack();
	ring_runs();
	database_keeps_a_record(folder);
	openssl_signs();
	tls_connects(TLS1_3_VERSION, EVP_EC_gen("P-256"), "tls 1.3 with ecdsa");
	tls_connects(TLS1_2_VERSION, EVP_RSA_gen(2048), "tls 1.2 with rsa");
	resolver_answers();
	texts_are_read();
	fetching_is_http_alone();
	terminals_are_known();
	line_is_read();
	snprintf(file, sizeof(file), "%s/data.mdb", folder);
	unlink(file);
	snprintf(file, sizeof(file), "%s/lock.mdb", folder);
	unlink(file);
	rmdir(folder);
	return 0;
}
