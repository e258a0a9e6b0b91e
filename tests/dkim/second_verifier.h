/*
 * A small verifier for the tests, written from RFC 6376 section 6 and sharing no code with
 * src/dkim/: it reads a finished message as a receiver does, forms relaxed header fields and a body
 * in either form by itself, and asks OpenSSL about the signature.
 */
#ifndef TESTS_DKIM_SECOND_VERIFIER_H
#define TESTS_DKIM_SECOND_VERIFIER_H

#include "base/types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define VERIFY_FIELDS_MAX 200
#define VERIFY_TEXT_MAX 65536

struct verify_key {
	const char *selector;
	bool rsa;
	const u8 *public_key; /* as published, decoded */
	size_t len;
};

struct verify_message {
	struct slice fields[VERIFY_FIELDS_MAX]; /* with folds, without the final CRLF */
	size_t count;
	struct slice body;
};

static void verify_split(struct verify_message *m, const char *text, size_t len)
{
	const char *at = text;
	const char *end = text + len;

	m->count = 0;
	while (at < end && !(at[0] == '\r' && at[1] == '\n')) {
		const char *stop = at;

		do
			stop = (const char *)memmem(stop, (size_t)(end - stop), "\r\n", 2) + 2;
		while (stop < end && (*stop == ' ' || *stop == '\t'));
		m->fields[m->count++] = (struct slice){ at, (size_t)(stop - at) - 2 };
		at = stop;
	}
	m->body = (struct slice){ at + 2, (size_t)(end - at) - 2 };
}

static bool verify_named(struct slice field, const char *name, size_t len)
{
	size_t colon = (size_t)((const char *)memchr(field.ptr, ':', field.len) - field.ptr);

	while (colon > 0 && (field.ptr[colon - 1] == ' ' || field.ptr[colon - 1] == '\t'))
		colon--;
	return colon == len && strncasecmp(field.ptr, name, len) == 0;
}

/* Folds out, then every run of blanks to one, then none around the colon and at the end. */
static size_t verify_relaxed(struct slice field, char *out)
{
	static char flat[VERIFY_TEXT_MAX];
	size_t n = 0;
	size_t len = 0;
	bool colon = false;

	for (size_t i = 0; i < field.len; i++) {
		if (field.ptr[i] != '\r' && field.ptr[i] != '\n')
			flat[n++] = field.ptr[i] == '\t' ? ' ' : field.ptr[i];
	}
	for (size_t i = 0; i < n; i++) {
		if (flat[i] == ' ' && (i + 1 == n || flat[i + 1] == ' '))
			continue;
		if (flat[i] == ' ' && len > 0 && out[len - 1] == ':' && !memchr(out, ':', len - 1))
			continue;
		if (flat[i] == ':' && !colon && len > 0 && out[len - 1] == ' ')
			len--;
		out[len++] = colon ? flat[i] : (char)tolower((u8)flat[i]);
		colon = colon || flat[i] == ':';
	}
	return len;
}

static bool verify_tag(struct slice field, const char *tag, char *out)
{
	const char *at = (const char *)memchr(field.ptr, ':', field.len) + 1;
	const char *end = field.ptr + field.len;

	while (at < end) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		const char *equals;
		size_t n = 0;

		stop = stop ? stop : end;
		while (at < stop && isspace((u8)*at))
			at++;
		equals = memchr(at, '=', (size_t)(stop - at));
		if (equals && (size_t)(equals - at) == strlen(tag) &&
		    !memcmp(at, tag, strlen(tag))) {
			for (const char *p = equals + 1; p < stop; p++) {
				if (!isspace((u8)*p))
					out[n++] = *p;
			}
			out[n] = '\0';
			return true;
		}
		at = stop + 1;
	}
	return false;
}

static size_t verify_body(struct slice body, bool relaxed, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < body.len; i++) {
		char c = relaxed && body.ptr[i] == '\t' ? ' ' : body.ptr[i];

		if (relaxed && c == ' ' && len > 0 && out[len - 1] == ' ')
			continue;
		if (relaxed && c == '\r' && len > 0 && out[len - 1] == ' ')
			len--;
		out[len++] = c;
	}
	while (len >= 4 && !memcmp(out + len - 4, "\r\n\r\n", 4))
		len -= 2;
	if (len == 2 && !memcmp(out, "\r\n", 2))
		len = 0;
	if (len == 0 && !relaxed)
		len = (size_t)(stpcpy(out, "\r\n") - out);
	return len;
}

/* The n-th mention of a name is the n-th field of that name from the bottom. */
static void verify_hash_fields(SHA256_CTX *hash, const struct verify_message *m, char *names)
{
	static char text[VERIFY_TEXT_MAX];
	bool used[VERIFY_FIELDS_MAX] = { false };
	char *rest = names;
	char *name;

	while ((name = strsep(&rest, ":"))) {
		for (size_t i = m->count; i-- > 0;) {
			size_t len;

			if (used[i] || !verify_named(m->fields[i], name, strlen(name)))
				continue;
			used[i] = true;
			len = verify_relaxed(m->fields[i], text);
			SHA256_Update(hash, text, len);
			SHA256_Update(hash, "\r\n", 2);
			break;
		}
	}
}

static void verify_hash_own(SHA256_CTX *hash, struct slice field)
{
	static char bare[VERIFY_TEXT_MAX];
	static char text[VERIFY_TEXT_MAX];
	const char *b = NULL;
	size_t len;

	for (size_t i = 1; i + 1 < field.len; i++) {
		if (field.ptr[i] == 'b' && field.ptr[i + 1] == '=' && isspace((u8)field.ptr[i - 1]))
			b = field.ptr + i + 2;
	}
	len = (size_t)(b - field.ptr); /* b= comes last in what is tested here */
	memcpy(bare, field.ptr, len);
	len = verify_relaxed((struct slice){ bare, len }, text);
	SHA256_Update(hash, text, len);
}

static bool verify_signature(const struct verify_key *key, const u8 *digest, const u8 *signature,
			     size_t len)
{
	const u8 *at = key->public_key;
	EVP_PKEY *pkey =
		key->rsa ? d2i_PUBKEY(NULL, &at, (long)key->len)
			 : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, key->len);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok;

	if (key->rsa)
		ok = EVP_PKEY_verify_init(ctx) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
		     EVP_PKEY_verify(ctx, signature, len, digest, 32) == 1;
	else
		ok = EVP_DigestVerifyInit(md, NULL, NULL, NULL, pkey) == 1 &&
		     EVP_DigestVerify(md, signature, len, digest, 32) == 1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

/* Checks the field number `index`, a DKIM-Signature. NULL, or what is wrong. */
static const char *verify_message(const struct verify_message *m, size_t index,
				  const struct verify_key *keys, size_t key_count)
{
	static char text[VERIFY_TEXT_MAX];
	static char body[1 << 20];
	SHA256_CTX hash;
	u8 digest[33];
	u8 signature[1024];
	int len;

	if (!verify_tag(m->fields[index], "c", text))
		return "c=";
	SHA256((u8 *)body, verify_body(m->body, !strcmp(text, "relaxed/relaxed"), body), digest);
	if (!verify_tag(m->fields[index], "bh", text) ||
	    EVP_DecodeBlock(signature, (u8 *)text, (int)strlen(text)) != 33 ||
	    memcmp(signature, digest, 32) != 0)
		return "bh=";
	SHA256_Init(&hash);
	if (!verify_tag(m->fields[index], "h", text))
		return "h=";
	verify_hash_fields(&hash, m, text);
	verify_hash_own(&hash, m->fields[index]);
	SHA256_Final(digest, &hash);
	if (!verify_tag(m->fields[index], "b", text))
		return "b=";
	len = EVP_DecodeBlock(signature, (u8 *)text, (int)strlen(text));
	for (size_t i = strlen(text); i > 0 && text[i - 1] == '='; i--)
		len--;
	verify_tag(m->fields[index], "s", text);
	for (size_t i = 0; i < key_count; i++) {
		if (strcmp(keys[i].selector, text) == 0)
			return len > 0 && verify_signature(&keys[i], digest, signature, (size_t)len)
				       ? NULL
				       : "b= does not verify";
	}
	return "no such key";
}

#endif
