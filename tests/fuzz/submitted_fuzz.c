/*
 * Any content that a user hands in: what is taken is the user's own mail by every reader's rules,
 * and compiles again with the fields that are added; and any bytes as a file of the spool. The
 * first byte says which.
 */
#include "base/check.h"
#include "base/text.h"
#include "message/message.h"
#include "receive/submitted.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD "user ann\ncustomer a.test\nfrom ann@a.test\nto b@c.test\n\n"
#define TRACE "Received: by mx.a.test with ESMTPSA id 1;\r\n\tnow\r\n"

static void check_views(const struct submitted *mail, struct slice file)
{
	const struct slice views[] = { mail->user,  mail->customer, mail->from,
				       mail->envid, mail->received, mail->content };

	for (size_t i = 0; i < array_count(views); i++)
		ASSERT(views[i].len == 0 || (views[i].ptr >= file.ptr &&
					     views[i].ptr + views[i].len <= file.ptr + file.len));
	ASSERT(mail->recipient_count >= 1 && mail->recipient_count <= SUBMITTED_RECIPIENTS_MAX);
}

/* As the sender gets it: with our trace and what lacked. */
static void compile_again(struct slice content, struct submitted *mail)
{
	const struct message_options options = { .literal = true,
						 .encoding = MESSAGE_ENCODING_8BIT };
	struct message_source source = { .name = "fuzz" };
	struct message_facts facts;
	struct message *message;
	struct error error;
	struct buf file;
	struct buf whole;

	buf_init(&file, 1u << 20);
	buf_init(&whole, 1u << 20);
	buf_add_text(&file, HEAD TRACE);
	buf_add_slice(&file, content);
	ASSERT(submitted_read(mail, buf_slice(&file), &error));
	ASSERT(slice_equal(mail->content, content));
	buf_add_slice(&whole, mail->received);
	submitted_add_missing(mail, SLICE("19a0f1e3c0000001deadbeef"), &whole);
	buf_add_slice(&whole, content);
	source.whole = buf_slice(&whole);
	message = message_compile(&source, &options, &error);
	ASSERT(message);
	message_facts(message, &facts);
	ASSERT(slice_equal_nocase(slice_of(facts.from.local), SLICE("ann")));
	ASSERT(slice_equal(slice_of(facts.from_domain), SLICE("a.test")));
	message_free(message);
	buf_done(&file);
	buf_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct submitted mail;
	static char from[] = "ann@a.test";
	const struct user ann = { .name = "ann", .customer = "a.test", .from = from };
	struct slice bytes = { (const char *)data + 1, size - 1 };
	struct error error;
	struct buf out;
	bool retry;

	if (size < 2)
		return 0;
	if (data[0] & 1) {
		if (submitted_check(bytes, &ann, &retry, &error))
			compile_again(bytes, &mail);
		return 0;
	}
	if (!submitted_read(&mail, bytes, &error))
		return 0;
	check_views(&mail, bytes);
	buf_init(&out, 1u << 20);
	submitted_add_missing(&mail, SLICE("19a0f1e3c0000001deadbeef"), &out);
	buf_done(&out);
	return 0;
}
