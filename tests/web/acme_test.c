#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/acme.h"
#include "web/acme_sign.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CA "https://ca.test"

static const char *const names[] = { "www.shop.test", "news.shop.test" };
static struct crypto_ec *account;
static struct crypto_ec *key;
static struct acme_wish wish;
static struct acme *acme;
static struct acme_request request;
static char nonce[32];
static u32 nonce_count;

static int set_up(void **state)
{
	(void)state;
	account = crypto_ec_make();
	key = crypto_ec_make();
	wish = (struct acme_wish){ .directory = CA "/dir",
				   .contact = "ops@shop.test",
				   .names = names,
				   .name_count = 2,
				   .account = account,
				   .key = key };
	acme = acme_open(&wish);
	nonce_count = 0;
	return acme ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	acme_close(acme);
	crypto_ec_free(account);
	crypto_ec_free(key);
	return 0;
}

/* ---- the authority's part ---- */

static void say_more(u32 status, const char *location, u64 rest_s, const char *body)
{
	struct acme_answer answer = { .status = status,
				      .location = slice_of(location),
				      .retry_after_s = rest_s,
				      .body = slice_of(body) };

	snprintf(nonce, sizeof(nonce), "nonce-%u", ++nonce_count);
	answer.nonce = slice_of(nonce);
	acme_take(acme, &answer);
}

static void say(u32 status, const char *location, const char *body)
{
	say_more(status, location, 0, body);
}

static void expect_asked(enum acme_method method, const char *url)
{
	assert_int_equal(acme_next(acme, &request), ACME_ASK);
	assert_int_equal(request.method, method);
	assert_string_equal(request.url, url);
}

/* A member of the request that is out: "protected" or "payload", without its armour. */
static json_t *part(const char *name)
{
	json_t *body = json_loadb(request.body.ptr, request.body.len, 0, NULL);
	const char *text = json_string_value(json_object_get(body, name));
	char plain[8192];
	char bytes[8192];
	size_t len = 0;
	json_t *inner;

	assert_non_null(text);
	snprintf(plain, sizeof(plain), "%s%s", text,
		 &"===="[strlen(text) % 4 == 0 ? 4 : strlen(text) % 4]);
	for (char *at = plain; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	assert_true(base64_decode(bytes, sizeof(bytes), &len, slice_of(plain)));
	inner = json_loadb(bytes, len, 0, NULL);
	json_decref(body);
	return inner;
}

static const char directory[] = "{\"newNonce\":\"" CA "/nonce\",\"newAccount\":\"" CA
				"/account\",\"newOrder\":\"" CA "/order\"}";

static void begin(void)
{
	expect_asked(ACME_GET, CA "/dir");
	say(200, "", directory);
	expect_asked(ACME_POST, CA "/account");
	say(201, CA "/account/7", "{\"status\":\"valid\"}");
}

static void order(const char *authorizations)
{
	char body[1024];

	expect_asked(ACME_POST, CA "/order");
	snprintf(body, sizeof(body),
		 "{\"status\":\"pending\",\"authorizations\":[%s],\"finalize\":\"" CA
		 "/finalize\"}",
		 authorizations);
	say(201, CA "/order/1", body);
}

static const char pending[] =
	"{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"www.shop.test\"},"
	"\"challenges\":[{\"type\":\"dns-01\",\"status\":\"pending\",\"url\":\"" CA
	"/c/0\",\"token\":\"x\"},{\"type\":\"http-01\",\"status\":\"pending\",\"url\":\"" CA
	"/c/1\",\"token\":\"a-token_1\"}]}";
static const char valid[] = "{\"status\":\"valid\",\"challenges\":[]}";

static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

static void expect_failure(const char *words)
{
	assert_int_equal(acme_next(acme, &request), ACME_FAILED);
	if (!strstr(acme_trouble(acme)->text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, acme_trouble(acme)->text);
}

/* ---- tests ---- */

static void a_certificate_is_had_from_the_directory_to_the_chain(void **state)
{
	const char *token;
	const char *proof;
	char thumbprint[ACME_THUMBPRINT + 1];
	char expected[128];
	json_t *payload;

	(void)state;
	begin();
	order("\"" CA "/z/1\",\"" CA "/z/2\"");
	expect_asked(ACME_POST, CA "/z/1");
	say(200, "", pending);
	assert_int_equal(acme_next(acme, &request), ACME_PUBLISH);
	acme_challenge(acme, &token, &proof);
	assert_true(acme_thumbprint(account, thumbprint));
	snprintf(expected, sizeof(expected), "a-token_1.%s", thumbprint);
	assert_string_equal(token, "a-token_1");
	assert_string_equal(proof, expected);
	expect_asked(ACME_POST, CA "/c/1");
	payload = part("payload"); /* {}: "it is there" */
	assert_true(json_is_object(payload) && json_object_size(payload) == 0);
	json_decref(payload);
	say(200, "", "{\"status\":\"processing\"}");
	assert_int_equal(acme_next(acme, &request), ACME_WAIT);
	assert_in_range(acme_wait_ms(acme), 500, 15000);
	expect_asked(ACME_POST, CA "/z/1");
	say(200, "", pending); /* it has not looked yet */
	assert_int_equal(acme_next(acme, &request), ACME_WAIT);
	expect_asked(ACME_POST, CA "/z/1");
	say(200, "", valid);
	expect_asked(ACME_POST, CA "/z/2");
	say(200, "", valid);
	expect_asked(ACME_POST, CA "/finalize");
	payload = part("payload");
	assert_non_null(json_object_get(payload, "csr"));
	json_decref(payload);
	say_more(200, "", 3, "{\"status\":\"processing\"}");
	assert_int_equal(acme_next(acme, &request), ACME_WAIT);
	assert_int_equal(acme_wait_ms(acme), 3000);
	expect_asked(ACME_POST, CA "/order/1");
	say(200, "", "{\"status\":\"valid\",\"certificate\":\"" CA "/cert\"}");
	expect_asked(ACME_POST, CA "/cert");
	say(200, "", pem);
	assert_int_equal(acme_next(acme, &request), ACME_DONE);
	assert_true(slice_equal(acme_chain(acme), slice_of(pem)));
}

static void requests_are_signed_by_the_key_first_and_by_the_account_then(void **state)
{
	json_t *head;
	json_t *payload;

	(void)state;
	expect_asked(ACME_GET, CA "/dir");
	say(200, "", directory);
	expect_asked(ACME_POST, CA "/account");
	head = part("protected");
	payload = part("payload");
	assert_string_equal(json_string_value(json_object_get(head, "alg")), "ES256");
	assert_string_equal(json_string_value(json_object_get(head, "nonce")), "nonce-1");
	assert_string_equal(json_string_value(json_object_get(head, "url")), CA "/account");
	assert_null(json_object_get(head, "kid"));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(head, "jwk"), "crv")), "P-256");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(payload, "contact"), 0)),
		"mailto:ops@shop.test");
	assert_true(json_is_true(json_object_get(payload, "termsOfServiceAgreed")));
	json_decref(head);
	json_decref(payload);
	say(201, CA "/account/7", "{}");
	expect_asked(ACME_POST, CA "/order");
	head = part("protected");
	payload = part("payload");
	assert_string_equal(json_string_value(json_object_get(head, "kid")), CA "/account/7");
	assert_null(json_object_get(head, "jwk"));
	assert_int_equal(json_array_size(json_object_get(payload, "identifiers")), 2);
	json_decref(head);
	json_decref(payload);
}

static void without_a_nonce_one_is_fetched(void **state)
{
	struct acme_answer bare = { .status = 200, .body = slice_of(directory) };
	struct acme_answer nothing = { .status = 503 };

	(void)state;
	expect_asked(ACME_GET, CA "/dir");
	acme_take(acme, &bare);
	expect_asked(ACME_HEAD, CA "/nonce");
	say(200, "", "");
	expect_asked(ACME_POST, CA "/account");
	bare.body = SLICE("{\"status\":\"valid\"}");
	bare.location = SLICE(CA "/account/7");
	acme_take(acme, &bare);
	expect_asked(ACME_HEAD, CA "/nonce");
	acme_take(acme, &nothing);
	expect_failure("no nonce: its answer is 503");
}

static void a_nonce_that_is_no_longer_liked_is_changed_but_not_for_ever(void **state)
{
	static const char no[] = "{\"type\":\"urn:ietf:params:acme:error:badNonce\"}";

	(void)state;
	begin();
	for (u32 i = 0; i < 5; i++) {
		expect_asked(ACME_POST, CA "/order");
		say(400, "", no);
	}
	order("\"" CA "/z/1\"");
	/* Each request has its own five. */
	for (u32 i = 0; i < 6; i++) {
		expect_asked(ACME_POST, CA "/z/1");
		say(400, "", no);
	}
	expect_failure("badNonce");
}

static void what_the_authority_says_of_a_refusal_is_told(void **state)
{
	(void)state;
	begin();
	expect_asked(ACME_POST, CA "/order");
	say_more(429, "", 3600,
		 "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many\"}");
	expect_failure("refuses an order with 429: too many (urn:ietf:params:acme:error:rate");
	assert_int_equal(acme_rest_s(acme), 3600);
}

static void a_name_that_is_not_believed_is_named(void **state)
{
	(void)state;
	begin();
	order("\"" CA "/z/1\"");
	expect_asked(ACME_POST, CA "/z/1");
	say(200, "",
	    "{\"status\":\"invalid\",\"identifier\":{\"value\":\"www.shop.test\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"status\":\"invalid\",\"error\":"
	    "{\"detail\":\"Connection refused\",\"type\":\"urn:x\"}}]}");
	expect_failure("www.shop.test is ours: Connection refused (urn:x)");
}

static void an_authority_that_never_decides_is_given_up(void **state)
{
	u32 waits = 0;

	(void)state;
	begin();
	order("");
	for (;;) {
		enum acme_next next = acme_next(acme, &request);

		if (next == ACME_FAILED)
			break;
		if (next == ACME_WAIT)
			waits++;
		else
			say(200, "", "{\"status\":\"processing\"}");
		assert_true(waits < 100);
	}
	expect_failure("does not come to an end");
}

static void what_is_no_answer_ends_it(void **state)
{
	static const struct {
		const char *location;
		const char *body;
	} answers[] = {
		{ "", "" },
		{ "", "[]" },
		{ CA "/account/7", "{" },
		{ "http://ca.test/in-the-clear", "{}" },
		{ CA "/with blank", "{}" },
		{ "file:///etc/passwd", "{}" },
	};

	for (size_t i = 0; i < array_count(answers); i++) {
		expect_asked(ACME_GET, CA "/dir");
		say(200, "", directory);
		expect_asked(ACME_POST, CA "/account");
		say(201, answers[i].location, answers[i].body);
		assert_int_equal(acme_next(acme, &request), ACME_FAILED);
		tear_down(state);
		set_up(state);
	}
}

static void a_token_that_is_no_name_of_a_file_is_refused(void **state)
{
	static const char *const tokens[] = { "", "../../etc/passwd", "a/b", ".", "a.b", "a b",
					      "+" };
	char body[512];

	for (size_t i = 0; i < array_count(tokens); i++) {
		begin();
		order("\"" CA "/z/1\"");
		expect_asked(ACME_POST, CA "/z/1");
		snprintf(body, sizeof(body),
			 "{\"status\":\"pending\",\"challenges\":[{\"type\":\"http-01\","
			 "\"status\":\"pending\",\"url\":\"" CA "/c/1\",\"token\":\"%s\"}]}",
			 tokens[i]);
		say(200, "", body);
		expect_failure("no proof by a page");
		tear_down(state);
		set_up(state);
	}
}

static void what_is_no_certificate_is_not_taken_for_one(void **state)
{
	(void)state;
	begin();
	order("");
	assert_int_equal(acme_next(acme, &request), ACME_WAIT);
	expect_asked(ACME_POST, CA "/order/1");
	say(200, "", "{\"status\":\"valid\",\"certificate\":\"" CA "/cert\"}");
	expect_asked(ACME_POST, CA "/cert");
	say(200, "", "<html>");
	expect_failure("no certificate");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_is_had_from_the_directory_to_the_chain),
		TEST(requests_are_signed_by_the_key_first_and_by_the_account_then),
		TEST(without_a_nonce_one_is_fetched),
		TEST(a_nonce_that_is_no_longer_liked_is_changed_but_not_for_ever),
		TEST(what_the_authority_says_of_a_refusal_is_told),
		TEST(a_name_that_is_not_believed_is_named),
		TEST(an_authority_that_never_decides_is_given_up),
		TEST(what_is_no_answer_ends_it),
		TEST(a_token_that_is_no_name_of_a_file_is_refused),
		TEST(what_is_no_certificate_is_not_taken_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
