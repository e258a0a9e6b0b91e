/*
 * Any address that a report may be sent to: what was made here reads back as its row in every shape
 * that hosts give it, and anything else never does. The input is an address, or what is done to one.
 */
#include "base/check.h"
#include "base/text.h"
#include "delivery/mailing.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 secret[MAILING_SECRET_SIZE] = "a secret of 32 bytes for testing";
#define CUSTOMER "example.jp"

static struct mailing *mailing;

static void set_up(void)
{
	struct message_source source = {
		.name = "test",
		.whole = SLICE("From: a@example.jp\r\nSubject: {{email}}\r\n\r\nhello\r\n"),
	};
	struct message_options options = { 0 };
	struct queue_campaign campaign = { .id = 7, .name = "spring", .customer = CUSTOMER };
	struct error error;
	struct message *message = message_compile(&source, &options, &error);

	ASSERT(message);
	mailing = mailing_make(&campaign, message, 0, "bounce", secret);
	ASSERT(mailing);
}

/* The input as changes to a good address: letter case by bits, a quoted local part, a suffix. */
static void check_changed(const u8 *data, size_t size)
{
	struct row_id id = { 7, data[0], data[1] };
	struct row_id back;
	struct buf sender;
	struct buf changed;
	size_t at;

	buf_init(&sender, 400);
	buf_init(&changed, 600);
	mailing_add_sender(mailing, &id, &sender);
	at = (size_t)slice_find_char(buf_slice(&sender), '@');
	if (data[2] & 1)
		buf_add_char(&changed, '"');
	for (size_t i = 0; i < at; i++) {
		char c = sender.ptr[i];
		bool upper = data[i % size] & 1 << i % 8;

		buf_add_char(&changed, upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
	}
	if (data[2] & 2)
		buf_add_text(&changed, "+suffix");
	if (data[2] & 1)
		buf_add_char(&changed, '"');
	buf_add_slice(&changed, slice_from(buf_slice(&sender), at));
	ASSERT(mailing_read_sender(secret, SLICE("bounce"), buf_slice(&changed), &back) ==
	       MAILING_TAG_OURS);
	ASSERT(back.campaign == id.campaign && back.domain == id.domain && back.seq == id.seq);
	buf_done(&sender);
	buf_done(&changed);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice address = { (const char *)data, size };
	struct row_id id;

	if (!mailing)
		set_up();
	/* Nobody guesses 128 bits. */
	ASSERT(mailing_read_sender(secret, SLICE("bounce"), address, &id) != MAILING_TAG_OURS);
	ASSERT(mailing_read_unsubscribe(secret, SLICE("a{{_token}}b@x"), address, &id) !=
	       MAILING_TAG_OURS);
	ASSERT(mailing_read_unsubscribe(secret, address, address, &id) != MAILING_TAG_OURS);
	ASSERT(mailing_read_message_id(secret, address, &id) != MAILING_TAG_OURS);
	if (size > 2)
		check_changed(data, size);
	return 0;
}
