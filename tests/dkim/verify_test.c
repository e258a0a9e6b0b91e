/*
 * Verifying signatures: the examples of RFC 8463 (one by RSA, one by Ed25519, made by others), and
 * that no part of a message can be changed unnoticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "dkim/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8463 appendix A.3, with its keys from A.2. */
static const char message[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
			      " d=football.example.com; i=@football.example.com;\r\n"
			      " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
			      " subject : date : message-id : from : subject : date;\r\n"
			      " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
			      " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
			      " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
			      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
			      " d=football.example.com; i=@football.example.com;\r\n"
			      " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
			      " date : message-id : from : subject : date;\r\n"
			      " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
			      " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
			      " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
			      " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
			      "From: Joe SixPack <joe@football.example.com>\r\n"
			      "To: Suzie Q <suzie@shopping.example.net>\r\n"
			      "Subject: Is dinner ready?\r\n"
			      "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
			      "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
			      "\r\n"
			      "Hi.\r\n"
			      "\r\n"
			      "We lost the game.  Are you hungry yet?\r\n"
			      "\r\n"
			      "Joe.\r\n";
static const char ed25519_key[] = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
static const char rsa_key[] = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
			      "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ"
			      "/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2Ee"
			      "C3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

static struct crypto_public_key *key_of(enum crypto_algorithm algorithm, const char *text)
{
	u8 bytes[512];
	size_t len;
	struct error error = { "" };
	struct crypto_public_key *key;

	assert_true(base64_decode(bytes, sizeof(bytes), &len, slice_of(text)));
	key = crypto_public_key_from_dkim(algorithm, (struct slice){ (char *)bytes, len }, &error);
	if (!key)
		fail_msg("%s", error.text);
	return key;
}

/* "": it verifies; else why not. */
static const char *verdict(struct slice text, u32 number)
{
	static struct error error;
	struct dkim_signature signature;
	struct crypto_public_key *key;
	bool passes;

	if (!dkim_signature_find(text, number, &signature, &error))
		return error.text[0] ? error.text : "none";
	key = signature.algorithm == CRYPTO_RSA ? key_of(CRYPTO_RSA, rsa_key)
						: key_of(CRYPTO_ED25519, ed25519_key);
	passes = dkim_signature_verify(&signature, text, key, &error);
	crypto_public_key_free(key);
	return passes ? "" : error.text;
}

static void the_examples_of_rfc_8463_verify(void **state)
{
	(void)state;
	assert_string_equal(verdict(slice_of(message), 0), "");
	assert_string_equal(verdict(slice_of(message), 1), "");
	assert_string_equal(verdict(slice_of(message), 2), "none");
}

static void who_signed_is_read(void **state)
{
	struct dkim_signature signature;
	struct error error;

	(void)state;
	assert_true(dkim_signature_find(slice_of(message), 1, &signature, &error));
	assert_true(slice_equal(signature.domain, SLICE("football.example.com")));
	assert_true(slice_equal(signature.selector, SLICE("test")));
	assert_int_equal(signature.algorithm, CRYPTO_RSA);
	assert_int_equal(signature.len, 128);
}

/* Letters and digits only: white space may change in relaxed form. */
static void no_letter_of_header_or_body_changes_unnoticed(void **state)
{
	char copy[sizeof(message)];
	u32 changed = 0;

	(void)state;
	for (size_t i = (size_t)(strstr(message, "From: ") - message); message[i]; i++) {
		if (!ascii_is_alpha(message[i]))
			continue;
		memcpy(copy, message, sizeof(copy));
		copy[i] = copy[i] == 'x' ? 'y' : 'x';
		for (u32 n = 0; n < 2; n++) {
			const char *why = verdict(slice_of(copy), n);

			if (why[0] == '\0')
				fail_msg("byte %zu ('%c') changed unnoticed", i, message[i]);
		}
		changed++;
	}
	assert_true(changed > 150);
}

static void what_relaxed_allows_still_verifies(void **state)
{
	char text[2 * sizeof(message)];
	const char *subject = strstr(message, "Subject: ");
	size_t before = (size_t)(subject - message);

	(void)state;
	snprintf(text, sizeof(text), "%.*sSUBJECT :   Is\r\n\t dinner    ready? \r\n%s\r\n\r\n",
		 (int)before, message, strchr(subject, '\n') + 1);
	assert_string_equal(verdict(slice_of(text), 0), "");
	assert_string_equal(verdict(slice_of(text), 1), "");
}

static void a_field_of_an_oversigned_name_breaks_it(void **state)
{
	char text[2 * sizeof(message)];

	(void)state;
	snprintf(text, sizeof(text), "Subject: another\r\n%s", message);
	assert_string_equal(verdict(slice_of(text), 0),
			    "the header is not what was signed, or by another key");
	/* To is named once only: one more above is nobody's concern. */
	snprintf(text, sizeof(text), "To: another\r\n%s", message);
	assert_string_equal(verdict(slice_of(text), 0), "");
}

static void what_is_no_signature_is_named(void **state)
{
	static const struct {
		const char *tags;
		const char *why;
	} bad[] = {
		{ "a=rsa-sha256", "DKIM-Signature: no v=" },
		{ "v=2", "DKIM-Signature: v= is not 1" },
		{ "v=1; l=5", "DKIM-Signature: l= leaves a part of the body unsigned" },
		{ "v=1; a=rsa-sha1", "DKIM-Signature: a= is none that is in use" },
		{ "v=1; a=rsa-sha256; c=strict",
		  "DKIM-Signature: c= is neither simple nor relaxed" },
		{ "v=1; a=rsa-sha256; d=", "DKIM-Signature: d= is empty" },
		{ "v=1; a=rsa-sha256; d=a.b; s=c; h=to; bh=xyz",
		  "DKIM-Signature: bh= is no SHA-256 in base64" },
		{ "v=1; a=rsa-sha256; d=a.b; s=c; h=to;"
		  " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=%%",
		  "DKIM-Signature: b= is no base64, or too long" },
		{ ";;;=;", "DKIM-Signature: no v=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "DKIM-Signature: %s\r\nFrom: a@b.c\r\n\r\n",
			 bad[i].tags);
		assert_string_equal(verdict(slice_of(text), 0), bad[i].why);
	}
}

static void messages_cut_anywhere_are_refused_without_harm(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(message) - 1; len++) {
		/* On the heap, so that a read beyond the end is seen. */
		char *copy = malloc(len + 1);
		struct slice text = { copy, len };

		memcpy(copy, message, len);
		copy = realloc(copy, len > 0 ? len : 1);
		text.ptr = copy;
		/* A body without its last CRLF counts as if it had it. */
		assert_int_equal(verdict(text, 0)[0] == '\0', len == sizeof(message) - 3);
		(void)verdict(text, 1);
		free(copy);
	}
}

static void a_key_of_another_kind_or_size_is_refused(void **state)
{
	struct error error = { "" };

	(void)state;
	assert_null(crypto_public_key_from_dkim(CRYPTO_RSA, SLICE("rubbish"), &error));
	assert_string_equal(error.text, "no public key in it");
	assert_null(crypto_public_key_from_dkim(CRYPTO_ED25519, SLICE("short"), &error));
	assert_string_equal(error.text, "no public key in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_rfc_8463_verify),
		cmocka_unit_test(who_signed_is_read),
		cmocka_unit_test(no_letter_of_header_or_body_changes_unnoticed),
		cmocka_unit_test(what_relaxed_allows_still_verifies),
		cmocka_unit_test(a_field_of_an_oversigned_name_breaks_it),
		cmocka_unit_test(what_is_no_signature_is_named),
		cmocka_unit_test(messages_cut_anywhere_are_refused_without_harm),
		cmocka_unit_test(a_key_of_another_kind_or_size_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
