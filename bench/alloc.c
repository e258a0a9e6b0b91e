/*
 * Does the allocator matter to the sender? Three loads that it consists of, by threads:
 *
 *   alloc sign THREADS        RSA-2048 signatures over a 32-byte digest
 *   alloc handshake THREADS   full TLS 1.3 handshakes in memory, client and server (ECDSA P-256)
 *   alloc put THREADS         LMDB puts of 120 bytes, 1,000 a commit, not synced
 *
 * Each thread has its own key or environment and shares nothing with the others. Prints operations
 * per second, all threads together, and per second of CPU (steadier on a machine that others use).
 * The same source is linked with musl, with musl and mimalloc, and with the host's libraries;
 * alloc.sh runs them by turns.
 */
#include <lmdb.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 16, MEASURE_S = 2, RECORD_BYTES = 120, PUTS_A_COMMIT = 1000 };

static atomic_bool stop;

struct worker {
	pthread_t thread;
	void (*load)(struct worker *worker);
	unsigned long long done;
	EVP_PKEY *rsa;
	EVP_PKEY *ec;
	char folder[64];
};

static void must(int fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "alloc: %s failed\n", what);
	exit(1);
}

static void load_sign(struct worker *worker)
{
	unsigned char digest[32] = { 1 }, signature[256];

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(worker->rsa, NULL);
		size_t len = sizeof(signature);

		must(EVP_PKEY_sign_init(ctx) == 1 &&
			EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
			EVP_PKEY_sign(ctx, signature, &len, digest, sizeof(digest)) == 1, "sign");
		digest[0]++;
		EVP_PKEY_CTX_free(ctx);
		worker->done++;
	}
}

static void carry(SSL *from, SSL *to)
{
	char buf[4096];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from), buf, sizeof(buf))) > 0)
		BIO_write(SSL_get_rbio(to), buf, n);
}

static SSL *side(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	must(ssl != NULL, "SSL_new");
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

static void load_handshake(struct worker *worker)
{
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	X509 *cert = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	must(X509_set_pubkey(cert, worker->ec) == 1 &&
		     X509_sign(cert, worker->ec, EVP_sha256()) > 0 &&
		     SSL_CTX_use_certificate(server_ctx, cert) == 1 &&
		     SSL_CTX_use_PrivateKey(server_ctx, worker->ec) == 1,
	     "certificate");
	/* The same group for old and new libraries: newer ones would prefer a hybrid. */
	must(SSL_CTX_set1_groups_list(client_ctx, "X25519") == 1, "groups");
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		SSL *client = side(client_ctx), *server = side(server_ctx);

		SSL_set_connect_state(client);
		SSL_set_accept_state(server);
		while (!SSL_is_init_finished(client) || !SSL_is_init_finished(server)) {
			SSL_do_handshake(client);
			carry(client, server);
			SSL_do_handshake(server);
			carry(server, client);
		}
		SSL_free(client);
		SSL_free(server);
		worker->done++;
	}
	X509_free(cert);
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
}

static void load_put(struct worker *worker)
{
	unsigned char record[RECORD_BYTES] = { 0 };
	unsigned char bytes[8];
	MDB_val key = { sizeof(bytes), bytes }, value = { sizeof(record), record };
	unsigned long long next = 0;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	must(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 1UL << 30) == 0 &&
		mdb_env_open(env, worker->folder, MDB_NOSYNC, 0600) == 0, "open");
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		must(mdb_txn_begin(env, NULL, 0, &txn) == 0 &&
			     mdb_dbi_open(txn, NULL, 0, &dbi) == 0,
		     "begin");
		for (int i = 0; i < PUTS_A_COMMIT; i++) {
			/* A million keys in rising order, then again: the file stays in its map. */
			unsigned long long number = next++ % 1000000;

			for (int at = 0; at < 8; at++)
				bytes[at] = (unsigned char)(number >> (56 - 8 * at));
			must(mdb_put(txn, dbi, &key, &value, 0) == 0, "put");
		}
		must(mdb_txn_commit(txn) == 0, "commit");
		worker->done += PUTS_A_COMMIT;
	}
	mdb_env_close(env);
}

static void worker_prepare(struct worker *worker, const char *load)
{
	worker->rsa = EVP_RSA_gen(2048);
	worker->ec = EVP_EC_gen("P-256");
	must(worker->rsa && worker->ec, "keys");
	worker->load = strcmp(load, "sign") == 0 ? load_sign :
		strcmp(load, "handshake") == 0 ? load_handshake : load_put;
	snprintf(worker->folder, sizeof(worker->folder), "/tmp/hikyaku-alloc-XXXXXX");
	must(mkdtemp(worker->folder) != NULL, "folder");
}

static void worker_tidy(struct worker *worker)
{
	char file[96];

	snprintf(file, sizeof(file), "%s/data.mdb", worker->folder);
	unlink(file);
	snprintf(file, sizeof(file), "%s/lock.mdb", worker->folder);
	unlink(file);
	rmdir(worker->folder);
	EVP_PKEY_free(worker->rsa);
	EVP_PKEY_free(worker->ec);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	worker->load(worker);
	return NULL;
}

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	unsigned long long done = 0;
	int count = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	double started, wall_s, cpu_s;

	if (count < 1 || count > THREADS_MAX) {
		fprintf(stderr, "usage: alloc sign|handshake|put THREADS\n");
		return 2;
	}
	for (int i = 0; i < count; i++)
		worker_prepare(&workers[i], argv[1]);
	started = clock_s(CLOCK_MONOTONIC);
	cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < count; i++)
		must(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) == 0,
		     "thread");
	sleep(MEASURE_S);
	atomic_store(&stop, 1);
	for (int i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
	}
	wall_s = clock_s(CLOCK_MONOTONIC) - started;
	cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_s;
	printf("%.0f %.0f\n", (double)done / wall_s, (double)done / cpu_s);
	for (int i = 0; i < count; i++)
		worker_tidy(&workers[i]);
	return 0;
}
