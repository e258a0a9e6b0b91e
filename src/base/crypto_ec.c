#include "base/crypto_ec.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define CURVE "P-256"
#define CURVE_NAME "prime256v1" /* as OpenSSL says it of a key */
#define NAMES_MAX (64u << 10)	/* bytes */
#define DER_SIGNATURE_MAX 80	/* two numbers of 33 bytes, and what stands around them */

/* Ours is OpenSSL's, under a name that headers may say. */
static EVP_PKEY *theirs(const struct crypto_ec *key)
{
	return (EVP_PKEY *)(void *)(uintptr_t)key;
}

static struct crypto_ec *ours(EVP_PKEY *key)
{
	ERR_clear_error();
	return (struct crypto_ec *)(void *)key;
}

static bool is_of_curve(const EVP_PKEY *key)
{
	char name[32] = "";

	return EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 &&
	       strcmp(name, CURVE_NAME) == 0;
}

struct crypto_ec *crypto_ec_make(void)
{
	return ours(EVP_EC_gen(CURVE));
}

struct crypto_ec *crypto_ec_read(struct slice pem)
{
	BIO *memory = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	EVP_PKEY *key = memory ? PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL) : NULL;

	BIO_free(memory);
	if (key && !is_of_curve(key)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return ours(key);
}

void crypto_ec_free(struct crypto_ec *key)
{
	EVP_PKEY_free(theirs(key));
}

bool crypto_ec_write(const struct crypto_ec *key, struct buf *out)
{
	BIO *memory = BIO_new(BIO_s_secmem());
	char *text;
	long len = 0;

	if (memory && PEM_write_bio_PKCS8PrivateKey(memory, theirs(key), NULL, NULL, 0, NULL,
						    NULL) == 1) {
		len = BIO_get_mem_data(memory, &text);
		buf_add(out, text, (size_t)len);
	}
	BIO_free(memory);
	ERR_clear_error();
	return len > 0 && !out->failed;
}

static bool number_of(const EVP_PKEY *key, const char *name, u8 out[CRYPTO_EC_NUMBER])
{
	BIGNUM *number = NULL;
	bool is_there = EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
			BN_bn2binpad(number, out, CRYPTO_EC_NUMBER) == CRYPTO_EC_NUMBER;

	BN_free(number);
	ERR_clear_error();
	return is_there;
}

bool crypto_ec_point(const struct crypto_ec *key, u8 x[CRYPTO_EC_NUMBER], u8 y[CRYPTO_EC_NUMBER])
{
	return number_of(theirs(key), OSSL_PKEY_PARAM_EC_PUB_X, x) &&
	       number_of(theirs(key), OSSL_PKEY_PARAM_EC_PUB_Y, y);
}

/* OpenSSL's is DER (RFC 3279 section 2.2.3); RFC 7518 wants the two numbers bare. */
static bool bare_signature(const u8 *der, size_t len, u8 out[CRYPTO_EC_SIGNATURE])
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool is_done = signature &&
		       BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, CRYPTO_EC_NUMBER) ==
			       CRYPTO_EC_NUMBER &&
		       BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + CRYPTO_EC_NUMBER,
				    CRYPTO_EC_NUMBER) == CRYPTO_EC_NUMBER;

	ECDSA_SIG_free(signature);
	return is_done;
}

bool crypto_ec_sign(const struct crypto_ec *key, struct slice text,
		    u8 signature[CRYPTO_EC_SIGNATURE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	u8 der[DER_SIGNATURE_MAX];
	size_t len = sizeof(der);
	bool is_signed = context &&
			 EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, theirs(key)) == 1 &&
			 EVP_DigestSign(context, der, &len, (const u8 *)text.ptr, text.len) == 1 &&
			 bare_signature(der, len, signature);

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return is_signed;
}

/* ---- requests ---- */

static bool add_names(X509_REQ *request, const char *const *names, size_t count)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *extension = NULL;
	X509V3_CTX context;
	struct buf text;
	bool is_added = false;

	buf_init(&text, NAMES_MAX);
	for (size_t i = 0; i < count; i++)
		buf_add_format(&text, "%sDNS:%s", i > 0 ? "," : "", names[i]);
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
	if (extensions && count > 0 && buf_text(&text)[0] && !text.failed)
		extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name,
						buf_text(&text));
	if (extension && sk_X509_EXTENSION_push(extensions, extension) > 0) {
		extension = NULL; /* the list's now */
		is_added = X509_REQ_add_extensions(request, extensions) == 1;
	}
	X509_EXTENSION_free(extension);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	buf_done(&text);
	return is_added;
}

bool crypto_ec_request(const struct crypto_ec *key, const char *const *names, size_t count,
		       struct buf *out)
{
	X509_REQ *request = X509_REQ_new();
	u8 *der = NULL;
	int len = 0;

	if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	    X509_REQ_set_pubkey(request, theirs(key)) == 1 && add_names(request, names, count) &&
	    X509_REQ_sign(request, theirs(key), EVP_sha256()) > 0)
		len = i2d_X509_REQ(request, &der);
	if (len > 0)
		buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_REQ_free(request);
	ERR_clear_error();
	return len > 0 && !out->failed;
}
