#include "receive/forward.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "control/letter.h"
#include "smtp/mail.h"

#include <stdio.h>
#include <string.h>

#define PER_HOUR 200
#define HOPS_MAX 30 /* Received fields; RFC 5321 section 6.3 asks for at least 100 */
#define LINE_MAX_OCTETS 998 /* RFC 5322 section 2.1.1 */
#define FIELD "X-Hikyaku-Forwarded"
#define SOURCE_MAX (FORWARD_MAX / 3 * 4 + FORWARD_MAX / 32 + 8192) /* base64, its lines, the rest */
#define NEVER 1 /* of NOTIFY: a notice of it would come back to where it came from */

const char *forward_verdict_name(enum forward_verdict verdict)
{
	static const char *const names[] = { "go", "not-wanted", "machine", "loop", "too-many" };

	return names[verdict];
}

void forward_bucket_init(struct forward_bucket *bucket, u64 now_ns)
{
	*bucket = (struct forward_bucket){ now_ns, PER_HOUR };
}

static bool bucket_take(struct forward_bucket *bucket, u64 now_ns)
{
	if (now_ns - bucket->since_ns >= 3600 * NS_PER_S)
		forward_bucket_init(bucket, now_ns);
	if (bucket->left == 0)
		return false;
	bucket->left--;
	return true;
}

static bool goes_round(struct slice message)
{
	struct slice headers;
	struct slice body;
	struct mail_field field;
	u32 hops = 0;

	mail_split(message, &headers, &body);
	while (mail_next_field(&headers, &field)) {
		if (slice_equal_nocase(field.name, SLICE(FIELD)))
			return true;
		hops += slice_equal_nocase(field.name, SLICE("Received"));
	}
	return hops > HOPS_MAX;
}

enum forward_verdict forward_judge(const struct config *config, const struct envelope *envelope,
				   enum report_kind kind, struct forward_bucket *bucket,
				   u64 now_ns)
{
	/* Notices of failure about what we handed on would go round for ever. */
	if (kind != REPORT_UNKNOWN && kind != REPORT_COMPLAINT && kind != REPORT_UNSUBSCRIBE)
		return FORWARD_MACHINE;
	if (!config->receive.forward_to)
		return FORWARD_NOT_WANTED;
	if (goes_round(envelope->message))
		return FORWARD_LOOP;
	return bucket_take(bucket, now_ns) ? FORWARD_GO : FORWARD_TOO_MANY;
}

const struct config_customer *forward_customer(const struct config *config,
					       const struct envelope *envelope)
{
	struct slice domain = envelope->to[0];

	slice_split(&domain, '@');
	return domain.ptr && config_customer_of(config, domain)
		       ? config_customer_of(config, domain)
		       : &config->customers[0];
}

/* ---- the letter ---- */

/* What a client said, as plain text: on one line, in ASCII. */
static void add_plain(struct buf *out, struct slice text)
{
	text = slice_first(text, 320);
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(out, text.ptr[i] >= ' ' && text.ptr[i] < 0x7f ? text.ptr[i] : '?');
}

static void add_head(const struct config *config, const struct envelope *envelope, const char *id,
		     struct buf *out)
{
	const char *domain = forward_customer(config, envelope)->domain;

	buf_add_format(out, "From: postmaster@%s\r\nTo: %s\r\nSubject: Mail for ", domain,
		       config->receive.forward_to);
	add_plain(out, envelope->to[0]);
	buf_add_format(out,
		       "\r\nAuto-Submitted: auto-generated\r\n" FIELD ": %s\r\n"
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: multipart/mixed; boundary=\"=_%s\"\r\n\r\n"
		       "--=_%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		       "This came in, and is about no mail that was sent as far as a program\r\n"
		       "can tell. Envelope sender: <",
		       config->receive.hostname, id, id);
	add_plain(out, envelope->from);
	buf_add_text(out, ">, from the host ");
	add_plain(out, envelope->client);
	buf_add_text(out, ", which calls itself ");
	add_plain(out, envelope->hello);
	buf_add_format(out, ".\r\n\r\n--=_%s\r\n", id);
}

/* Lines end with CRLF, since nothing else is taken in; the last one may lack it. */
static bool is_plain(struct slice message)
{
	size_t line = 0;

	for (size_t i = 0; i < message.len; i++) {
		const u8 c = (u8)message.ptr[i];

		line = c == '\n' ? 0 : line + 1;
		if (c == 0 || c >= 0x7f || line > LINE_MAX_OCTETS + 1)
			return false;
	}
	return true;
}

static void add_base64(struct buf *out, struct slice bytes)
{
	char line[76];

	while (bytes.len > 0) {
		struct slice part = slice_first(bytes, sizeof(line) / 4 * 3);
		size_t len = base64_encode(line, part.ptr, part.len);

		buf_add(out, line, len);
		buf_add_text(out, "\r\n");
		bytes = slice_from(bytes, part.len);
	}
}

static void add_mail(const struct envelope *envelope, struct buf *out)
{
	struct slice message = envelope->message;
	struct slice headers;
	struct slice body;

	if (message.len > FORWARD_MAX) {
		mail_split(message, &headers, &body);
		message = slice_first(headers, FORWARD_MAX);
		buf_add_text(out, "Content-Type: text/rfc822-headers\r\n");
	} else if (is_plain(message)) {
		buf_add_text(out, "Content-Type: message/rfc822\r\n");
	} else {
		/* RFC 2046 section 5.2.1 allows message/rfc822 no encoding. */
		buf_add_text(out, "Content-Type: application/octet-stream; name=\"mail.eml\"\r\n");
	}
	buf_add_text(out, "Content-Disposition: attachment; filename=\"mail.eml\"\r\n");
	if (is_plain(message)) {
		buf_add_text(out, "\r\n");
		buf_add_slice(out, message);
	} else {
		buf_add_text(out, "Content-Transfer-Encoding: base64\r\n\r\n");
		add_base64(out, message);
	}
}

bool forward_compose(const struct config *config, const struct envelope *envelope, const char *id,
		     struct buf *out)
{
	add_head(config, envelope, id, out);
	add_mail(envelope, out);
	buf_add_format(out, "\r\n--=_%s--\r\n", id);
	return !out->failed;
}

/* ---- to the sender ---- */

static enum control_answer send_parts(struct control_client *client, json_t *request,
				      struct slice source, struct slice recipients,
				      struct error *error)
{
	enum control_answer answer = control_client_request(client, request, error);

	if (answer == CONTROL_SENT)
		answer = control_client_data_all(client, CONTROL_DATA_WHOLE, source, error);
	if (answer == CONTROL_SENT)
		answer = control_client_data(client, CONTROL_DATA_RECIPIENTS, recipients, error);
	if (answer == CONTROL_SENT)
		answer = control_client_end(client, error);
	return answer;
}

static enum control_answer wait_reply(struct control_client *client, struct error *error)
{
	enum control_answer answer;
	json_t *json;

	do {
		answer = control_client_next(client, &json, error);
		if (answer == CONTROL_ITEM || answer == CONTROL_REPLY)
			json_decref(json);
	} while (answer == CONTROL_ITEM);
	return answer;
}

enum control_answer forward_send(struct control_client *client, const struct config *config,
				 const struct envelope *envelope, const char *id,
				 struct error *error)
{
	const struct control_recipient to = { .address = slice_of(config->receive.forward_to),
					      .notify = NEVER };
	char key[CONTROL_KEY_MAX + 1];
	struct control_letter letter = {
		.content = { .customer = forward_customer(config, envelope)->domain,
			     .source = CONTROL_SOURCE_WHOLE,
			     .charset = "utf-8",
			     .encoding = "auto" },
		.key = key,
		.kind = "forward",
		.is_literal = true,
	};
	enum control_answer answer = CONTROL_LOST;
	struct buf source;
	struct buf recipients;

	snprintf(key, sizeof(key), "forward-%s", id);
	buf_init(&source, SOURCE_MAX);
	buf_init(&recipients, 4096);
	control_recipient_add(&recipients, &to);
	if (forward_compose(config, envelope, id, &source) && !recipients.failed) {
		letter.content.sizes[CONTROL_DATA_WHOLE] = source.len;
		answer = send_parts(client, control_letter_json(&letter), buf_slice(&source),
				    buf_slice(&recipients), error);
		if (answer == CONTROL_SENT)
			answer = wait_reply(client, error);
	} else {
		error_set(error, "out of memory for a letter");
	}
	buf_done(&source);
	buf_done(&recipients);
	return answer;
}
