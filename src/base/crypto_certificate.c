#include "base/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define DAY_S (24 * 60 * 60L)
/* Nobody renews it but whoever starts the server: longer than a machine runs. */
#define VALID_DAYS (10 * 365L)
#define SERIAL_BITS 64
#define COMMON_NAME_MAX 64 /* of a common name, RFC 5280 appendix A.1 (ub-common-name) */

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool is_added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	is_added = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added;
}

static bool add_names(X509 *certificate, const char *host)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	char names[300];

	/* A name that is too long stands among the alternative ones only, which are what counts. */
	if (strlen(host) <= COMMON_NAME_MAX &&
	    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const u8 *)host, -1,
				       -1, 0) != 1)
		return false;
	return (size_t)snprintf(names, sizeof(names), "DNS:%s", host) < sizeof(names) &&
	       X509_set_issuer_name(certificate, name) == 1 &&
	       add_extension(certificate, NID_subject_alt_name, names);
}

static bool add_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool is_added = number &&
			BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
			BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

	BN_free(number);
	return is_added;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *host, u64 now_ms)
{
	time_t now = (time_t)(now_ms / 1000);

	return X509_set_version(certificate, X509_VERSION_3) == 1 && add_serial(certificate) &&
	       X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &now) &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, &now) &&
	       X509_set_pubkey(certificate, key) == 1 && add_names(certificate, host) &&
	       add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
	       X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool crypto_certificate_make(const char *host, u64 now_ms, struct buf *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *memory = BIO_new(BIO_s_secmem());
	char *text;
	long len = 0;
	bool is_made = key && certificate && memory && fill(certificate, key, host, now_ms) &&
		       PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		       PEM_write_bio_X509(memory, certificate) == 1;

	if (is_made) {
		len = BIO_get_mem_data(memory, &text);
		buf_add(out, text, (size_t)len);
	}
	BIO_free(memory);
	X509_free(certificate);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return is_made && len > 0 && !out->failed;
}

bool crypto_certificate_serves(struct slice pem, const char *host, u64 now_ms)
{
	BIO *memory = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	X509 *certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = NULL;
	time_t now = (time_t)(now_ms / 1000);
	bool serves = certificate && X509_check_host(certificate, host, 0, 0, NULL) == 1 &&
		      X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0 &&
		      X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0;

	/* The key stands before the certificate, or behind it. */
	if (serves && BIO_reset(memory) == 1)
		key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
	serves = serves && key && X509_check_private_key(certificate, key) == 1;
	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(memory);
	ERR_clear_error();
	return serves;
}

/* ---- what a certificate says ---- */

static X509 *first_certificate(struct slice pem)
{
	BIO *memory = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	X509 *certificate = memory ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;

	BIO_free(memory);
	return certificate;
}

static bool has_its_key(struct slice pem, X509 *certificate)
{
	BIO *memory = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL) : NULL;
	bool is_there = key && X509_check_private_key(certificate, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(memory);
	return is_there;
}

/* From 1970 to 9999; what is before is 0. */
static u64 seconds_of(const ASN1_TIME *when)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0;
	int seconds = 0;
	bool is_known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, when) == 1;
	i64 sum = (i64)days * DAY_S + seconds;

	ASN1_TIME_free(epoch);
	return is_known && sum > 0 ? (u64)sum : 0;
}

static void name_issuer(X509 *certificate, char out[CRYPTO_NAME_SIZE])
{
	X509_NAME *name = X509_get_issuer_name(certificate);

	out[0] = '\0';
	if (X509_NAME_get_text_by_NID(name, NID_commonName, out, CRYPTO_NAME_SIZE) <= 0 &&
	    X509_NAME_get_text_by_NID(name, NID_organizationName, out, CRYPTO_NAME_SIZE) <= 0)
		out[0] = '\0';
	for (char *at = out; *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
}

bool crypto_certificate_read(struct slice pem, struct crypto_certificate *out)
{
	X509 *certificate = first_certificate(pem);

	*out = (struct crypto_certificate){ .from_s = 0 };
	if (certificate) {
		out->from_s = seconds_of(X509_get0_notBefore(certificate));
		out->until_s = seconds_of(X509_get0_notAfter(certificate));
		out->has_key = has_its_key(pem, certificate);
		out->is_own = X509_NAME_cmp(X509_get_issuer_name(certificate),
					    X509_get_subject_name(certificate)) == 0;
		name_issuer(certificate, out->issuer);
	}
	X509_free(certificate);
	ERR_clear_error();
	return certificate != NULL;
}

bool crypto_certificate_is_for(struct slice pem, const char *host)
{
	X509 *certificate = first_certificate(pem);
	bool is_for = certificate && X509_check_host(certificate, host, 0, 0, NULL) == 1;

	X509_free(certificate);
	ERR_clear_error();
	return is_for;
}
