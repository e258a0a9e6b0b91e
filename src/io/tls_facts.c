#include "io/tls_facts.h"

#include "base/text.h"
#include "io/tls_parts.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static void write_time(char *out, size_t size, const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		snprintf(out, size, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	else
		snprintf(out, size, "?");
}

static void write_names(X509 *certificate, struct tls_facts *facts)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t len = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		size_t n;

		if (name->type != GEN_DNS)
			continue;
		n = (size_t)ASN1_STRING_length(name->d.dNSName);
		if (len + n + 2 > sizeof(facts->names))
			break;
		if (len > 0)
			facts->names[len++] = ' ';
		memcpy(facts->names + len, ASN1_STRING_get0_data(name->d.dNSName), n);
		len += n;
	}
	facts->names[len] = '\0';
	GENERAL_NAMES_free(names);
}

/* As a client that judges would: a chain to a known root, valid now, for this name. */
static void judge(SSL *ssl, X509 *certificate, const char *name, struct tls_facts *facts)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *chain = X509_STORE_CTX_new();
	const char *trouble = "no memory to judge it";

	if (store && chain) {
		tls_proof_roots(store);
		if (X509_STORE_CTX_init(chain, store, certificate, SSL_get_peer_cert_chain(ssl)) ==
		    1) {
			trouble = X509_verify_cert(chain) == 1
					  ? ""
					  : X509_verify_cert_error_string(
						    X509_STORE_CTX_get_error(chain));
			if (!*trouble && X509_check_host(certificate, name, 0, 0, NULL) != 1)
				trouble = "it is not for this name";
		}
	}
	snprintf(facts->trouble, sizeof(facts->trouble), "%s", trouble);
	X509_STORE_CTX_free(chain);
	X509_STORE_free(store);
	ERR_clear_error();
}

void tls_facts_read(const struct tls *tls, const char *name, struct tls_facts *facts)
{
	SSL *ssl = tls_ssl(tls);
	X509 *certificate = SSL_get1_peer_certificate(ssl);

	*facts = (struct tls_facts){ .has_certificate = certificate != NULL };
	slice_copy(facts->version, sizeof(facts->version), slice_of(SSL_get_version(ssl)));
	slice_copy(facts->cipher, sizeof(facts->cipher), slice_of(SSL_get_cipher_name(ssl)));
	if (!certificate)
		return;
	(void)X509_NAME_oneline(X509_get_subject_name(certificate), facts->subject,
				sizeof(facts->subject));
	(void)X509_NAME_oneline(X509_get_issuer_name(certificate), facts->issuer,
				sizeof(facts->issuer));
	write_names(certificate, facts);
	write_time(facts->not_before, sizeof(facts->not_before), X509_get0_notBefore(certificate));
	write_time(facts->not_after, sizeof(facts->not_after), X509_get0_notAfter(certificate));
	judge(ssl, certificate, name, facts);
	X509_free(certificate);
}
