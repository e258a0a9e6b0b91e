/*
 * What a certificate authority says: answers one after the other, whatever was asked. The engine
 * never crashes, asks only https, never puts up a proof whose name could be a path, and comes to an
 * end.
 */
#include "base/check.h"
#include "base/text.h"
#include "web/acme.h"
#include "web/acme_sign.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 2000

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const char *const names[] = { "www.shop.test" };

/* Answers are separated by lines of one 0xff: a status digit, then Location, then the body. */
static struct slice next_answer(struct slice *rest, struct acme_answer *answer)
{
	struct slice one = slice_split(rest, (char)0xff);
	static const u32 statuses[] = { 200, 201, 400, 429, 503, 0 };

	*answer = (struct acme_answer){ .status = 200, .nonce = SLICE("n") };
	if (one.len > 0) {
		answer->status = statuses[(u8)one.ptr[0] % array_count(statuses)];
		answer->retry_after_s = (u8)one.ptr[0] / 16;
		one = slice_from(one, 1);
	}
	answer->location = slice_split(&one, '\n');
	answer->body = one.ptr ? one : SLICE("");
	return one;
}

static void check_request(const struct acme_request *request)
{
	ASSERT(slice_has_prefix(slice_of(request->url), SLICE("https://")));
	ASSERT(!strpbrk(request->url, " \r\n"));
	ASSERT((request->method == ACME_POST) == (request->body.len > 0));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct crypto_ec *key;
	struct slice rest = { (const char *)data, size };
	struct acme_request request;
	struct acme_answer answer;
	struct acme *acme;
	u32 steps = 0;

	if (!key)
		key = crypto_ec_make();
	struct acme_wish wish = { .directory = "https://ca.test/dir",
				  .names = names,
				  .name_count = 1,
				  .account = key,
				  .key = key };
	acme = acme_open(&wish);
	ASSERT(acme);
	for (bool is_over = false; !is_over; steps++) {
		const char *token;
		const char *text;

		ASSERT(steps < STEPS_MAX);
		switch (acme_next(acme, &request)) {
		case ACME_ASK:
			check_request(&request);
			if (!rest.ptr) {
				is_over = true;
				break;
			}
			next_answer(&rest, &answer);
			acme_take(acme, &answer);
			break;
		case ACME_PUBLISH:
			acme_challenge(acme, &token, &text);
			ASSERT(acme_is_base64(slice_of(token), 128));
			ASSERT(slice_has_prefix(slice_of(text), slice_of(token)));
			break;
		case ACME_WAIT:
			ASSERT(acme_wait_ms(acme) <= 60000);
			break;
		case ACME_DONE:
			ASSERT(acme_chain(acme).len > 0);
			is_over = true;
			break;
		case ACME_FAILED:
			ASSERT(acme_trouble(acme)->text[0]);
			is_over = true;
			break;
		}
	}
	acme_close(acme);
	return 0;
}
