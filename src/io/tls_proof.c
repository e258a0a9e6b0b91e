/*
 * What a peer's certificate has to prove, put into OpenSSL's terms.
 */
#include "base/net_address.h"
#include "base/text.h"
#include "io/tls_parts.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Where the appliance has its certificates; elsewhere OpenSSL knows the place. */
#define CERTIFICATES "/etc/ssl/cert.pem"
#define NAME_SIZE 256

void tls_proof_roots(struct x509_store_st *store)
{
	(void)X509_STORE_set_default_paths(store);
	(void)X509_STORE_load_locations(store, CERTIFICATES, NULL);
	ERR_clear_error();
}

/*
 * Where nothing is to be proven nothing is judged: left to itself OpenSSL looks for the chain, in
 * all files of the system's folder of certificates, before it ignores what it found.
 */
static int judge_chain(X509_STORE_CTX *chain, void *argument)
{
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)argument;
	if (tls_wanted_proof(SSL_get_app_data(ssl)) == TLS_PROOF_NONE)
		return 1;
	return X509_verify_cert(chain);
}

bool tls_proof_init(struct ssl_ctx_st *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(context, judge_chain, NULL);
	return SSL_CTX_dane_enable(context) == 1;
}

/* RFC 6066 section 3: names only. Some servers refuse the handshake for an address. */
static bool set_server_name(SSL *ssl, const char *name, bool is_address)
{
	return name[0] == '\0' || is_address || SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* Wildcards stand for the whole leftmost label (RFC 6125 section 6.4.3). */
static bool set_names(SSL *ssl, const char *name, bool is_address, struct slice other)
{
	char other_name[NAME_SIZE];

	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	if (SSL_set1_host(ssl, name) != 1)
		return false;
	return other.len == 0 || !slice_copy(other_name, sizeof(other_name), other) ||
	       SSL_add1_host(ssl, other_name) == 1;
}

/*
 * RFC 7672 section 3.1.1: a match by DANE-EE is enough, whatever names and times stand in the
 * certificate. False: no memory; *usable tells of how many records OpenSSL could make something.
 */
static bool set_dane(SSL *ssl, const char *name, const struct tls_peer *peer, u32 *usable)
{
	*usable = 0;
	if (SSL_dane_enable(ssl, name) != 1)
		return false;
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (u32 i = 0; i < peer->record_count; i++) {
		const struct tls_tlsa *r = &peer->records[i];
		int code = SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
					     (const unsigned char *)r->data.ptr, r->data.len);

		if (code < 0)
			return false;
		*usable += code > 0;
	}
	ERR_clear_error();
	return true;
}

bool tls_proof_demand(struct ssl_st *ssl, const struct tls_peer *peer, enum tls_proof *proof)
{
	struct net_address literal;
	bool is_address = net_address_parse(&literal, peer->server_name, false);
	char name[NAME_SIZE];
	u32 usable;

	*proof = peer->proof;
	if (!slice_copy(name, sizeof(name), peer->server_name))
		name[0] = '\0';
	if (net_address_parse(&literal, peer->server_name, true)) {
		is_address = true;
		net_address_format(name, &literal, false);
	}
	if (!set_server_name(ssl, name, is_address))
		return false;
	if (*proof == TLS_PROOF_DANE) {
		if (!set_dane(ssl, name, peer, &usable))
			return false;
		if (usable == 0)
			*proof = TLS_PROOF_NONE;
	}
	if (*proof == TLS_PROOF_NONE)
		return true;
	if (!peer->proof_is_wish)
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	return set_names(ssl, name, is_address, peer->other_name);
}
