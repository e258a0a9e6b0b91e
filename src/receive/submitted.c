#include "receive/submitted.h"

#include "base/clock.h"
#include "base/text.h"
#include "message/message.h"
#include "smtp/envelope.h"
#include "smtp/mail.h"

#include <string.h>

#define ID_TIME_DIGITS 11 /* hex, milliseconds; see spool_file_begin */

/* ---- the file ---- */

static bool take_number(struct slice text, u32 max, u32 *out)
{
	return slice_to_u32(text, out) && *out <= max;
}

static bool take_line(struct submitted *mail, struct slice word, struct slice value)
{
	struct submitted_recipient *last =
		mail->recipient_count ? &mail->recipients[mail->recipient_count - 1] : NULL;
	u32 number;

	if (slice_equal(word, SLICE("to"))) {
		if (mail->recipient_count == SUBMITTED_RECIPIENTS_MAX || value.len == 0 ||
		    value.len > ADDRESS_WIRE_MAX)
			return false;
		mail->recipients[mail->recipient_count++] =
			(struct submitted_recipient){ .address = value };
	} else if (slice_equal(word, SLICE("notify"))) {
		if (!last || !take_number(value, UINT8_MAX, &number))
			return false;
		last->notify = (u8)number;
	} else if (slice_equal(word, SLICE("orcpt"))) {
		if (!last || value.len > SMTP_ORCPT_MAX)
			return false;
		last->orcpt = value;
	} else if (slice_equal(word, SLICE("ret"))) {
		return take_number(value, 2, &mail->ret);
	} else {
		*(slice_equal(word, SLICE("user"))	 ? &mail->user
		  : slice_equal(word, SLICE("customer")) ? &mail->customer
		  : slice_equal(word, SLICE("envid"))	 ? &mail->envid
		  : slice_equal(word, SLICE("from"))	 ? &mail->from
							 : &(struct slice){ NULL, 0 }) = value;
	}
	return true;
}

/* A field with its folds; it begins the text. */
static size_t field_size(struct slice text)
{
	size_t at = 0;
	i64 end;

	do {
		end = slice_find_char(slice_from(text, at), '\n');
		at = end < 0 ? text.len : at + (size_t)end + 1;
	} while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'));
	return at;
}

bool submitted_read(struct submitted *mail, struct slice file, struct error *error)
{
	struct slice rest = file;
	u32 number = 0;

	memset(mail, 0, offsetof(struct submitted, recipients));
	mail->recipient_count = 0;
	for (;;) {
		struct slice value = slice_split(&rest, '\n');
		struct slice word;

		number++;
		if (!rest.ptr)
			return error_set(error, "line %u: the envelope has no end", number);
		if (value.len == 0)
			break;
		word = slice_split(&value, ' ');
		if (!take_line(mail, word, value))
			return error_set(error, "line %u: this cannot stand in an envelope",
					 number);
	}
	if (mail->customer.len == 0 || mail->recipient_count == 0)
		return error_set(error, "the envelope lacks its customer or its recipients");
	if (!slice_has_prefix(rest, SLICE("Received: ")))
		return error_set(error, "the message does not begin with our trace");
	mail->received = slice_first(rest, field_size(rest));
	mail->content = slice_from(rest, mail->received.len);
	return true;
}

void submitted_add_missing(const struct submitted *mail, struct slice id, struct buf *out)
{
	char date[CLOCK_RFC5322_SIZE];
	struct slice headers;
	struct slice body;
	u64 at_ms = 0;

	mail_split(mail->content, &headers, &body);
	for (size_t i = 0; i < ID_TIME_DIGITS && i < id.len; i++)
		at_ms = at_ms * 16 + (ascii_is_digit(id.ptr[i]) ? (u64)(id.ptr[i] - '0')
								: (u64)(id.ptr[i] - 'a' + 10));
	if (!mail_find(headers, SLICE("Date")).ptr) {
		clock_format_rfc5322(date, at_ms);
		buf_add_format(out, "Date: %s\r\n", date);
	}
	if (!mail_find(headers, SLICE("Message-ID")).ptr)
		buf_add_format(out, "Message-ID: <%.*s@%.*s>\r\n", SLICE_FMT(id),
			       SLICE_FMT(mail->customer));
}

/* ---- judging ---- */

static bool check_fields(struct slice content, struct error *error)
{
	struct mail_field field;
	struct slice headers;
	struct slice body;
	u32 received = 0;
	u32 count = 0;

	mail_split(content, &headers, &body);
	while (mail_next_field(&headers, &field)) {
		count++;
		received += slice_equal_nocase(field.name, SLICE("Received"));
	}
	if (received > SUBMITTED_RECEIVED_MAX)
		return error_set(error, "5.4.6 the message goes in circles: %u fields Received",
				 received);
	return count <= SUBMITTED_FIELDS_MAX ||
	       error_set(error, "5.6.0 %u header fields, %u are possible", count,
			 SUBMITTED_FIELDS_MAX);
}

static bool check_author(const struct message *message, const struct user *user,
			 struct error *error)
{
	char room[ADDRESS_WIRE_MAX];
	struct buf key = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct message_facts facts;

	message_facts(message, &facts);
	address_add_key(&facts.from, &key);
	return (!key.failed && user_may_send_as(user, buf_slice(&key))) ||
	       error_set(error, "5.7.1 From: %s may not write as %.*s", user->name,
			 SLICE_FMT(slice_first(buf_slice(&key), 100)));
}

bool submitted_check(struct slice content, const struct user *user, bool *retry,
		     struct error *error)
{
	const struct message_options options = { .literal = true,
						 .encoding = MESSAGE_ENCODING_8BIT };
	const struct message_source source = { .name = "message", .whole = content };
	struct message *message;
	bool ok;

	*retry = false;
	if (!check_fields(content, error))
		return false;
	/* With nothing in it there is no source at all: say what an author misses. */
	if (content.len == 0)
		return error_set(error, "5.6.0 message:1: there is no From field");
	/* It would be a part of the field that we put in front. */
	if (content.ptr[0] == ' ' || content.ptr[0] == '\t')
		return error_set(error, "5.6.0 message:1: it begins with white space");
	message = message_compile(&source, &options, error);
	if (!message) {
		struct error why = *error;

		*retry = strstr(why.text, "out of memory") != NULL;
		return error_set(error, "5.6.0 %.*s", ERROR_TEXT_MAX - 8, why.text);
	}
	ok = check_author(message, user, error);
	message_free(message);
	return ok;
}
