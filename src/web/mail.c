#include "web/mail.h"

#include "base/text.h"
#include "store/row_values.h"
#include "web/field.h"

#include <string.h>

#define HEADERS_BYTES_MAX (256u << 10)
#define NAME_MAX_BYTES 256
#define HEADER_NAME_MAX 76
#define HEADER_VALUE_MAX 16384
#define SOURCE_NAME "mail"
#define ARENA_CHUNK (16u << 10)
#define ARENA_MAX (128u << 20)

void mail_init(struct mail *mail)
{
	*mail = (struct mail){ .text = "", .html = "" };
	buf_init(&mail->headers, HEADERS_BYTES_MAX);
	buf_init(&mail->whole, MESSAGE_TEMPLATE_MAX);
	arena_init(&mail->arena, ARENA_CHUNK, ARENA_MAX);
}

void mail_done(struct mail *mail)
{
	buf_done(&mail->headers);
	buf_done(&mail->whole);
	arena_done(&mail->arena);
}

static struct slice text_of(const char *text)
{
	return slice_of(text ? text : "");
}

/* ---- mailboxes ---- */

static void add_quoted(struct buf *out, struct slice text)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.ptr[i]);
	}
	buf_add_char(out, '"');
}

static void add_mailbox(struct buf *out, struct slice name, const struct address *address)
{
	if (name.len > 0) {
		add_quoted(out, name);
		buf_add_text(out, " <");
	}
	address_add_wire(address, out);
	if (name.len > 0)
		buf_add_char(out, '>');
}

/* "Name <a@b>", or {address, name}. */
static bool read_mailbox(struct call *call, const json_t *value, const char *base,
			 struct address *address, struct buf *name)
{
	static const char *const names[] = { "address", "name", NULL };
	const char *text = json_string_value(value);
	const char *display = NULL;
	struct error error;

	if (text) {
		if (!field_has_control(slice_of(text)) &&
		    address_parse_mailbox(address, name, slice_of(text), &error))
			return true;
		if (field_has_control(slice_of(text)))
			error_set(&error, "there is a control character");
		call_refuse(call, 422, base, "%s", error.text);
		return false;
	}
	if (!json_is_object(value)) {
		call_refuse(call, 422, base,
			    "a sender is text, or an object with address and name");
		return false;
	}
	if (!field_known(call, value, base, names) ||
	    !field_text(call, value, base, "address", ADDRESS_WIRE_MAX, &text) ||
	    !field_text(call, value, base, "name", NAME_MAX_BYTES, &display))
		return false;
	if (!text || !address_parse(address, slice_of(text), &error)) {
		call_refuse(call, 422, base, "%s", text ? error.text : "there is no address");
		return false;
	}
	buf_add_text(name, display ? display : "");
	return true;
}

/* One field with one mailbox. */
static bool add_sender(struct mail *mail, struct call *call, const char *member,
		       const char *field, struct address *address)
{
	const json_t *value = json_object_get(call->json, member);
	char pointer[FIELD_POINTER_MAX];
	struct buf name;
	bool is_read;

	buf_init(&name, 4096);
	is_read = read_mailbox(call, value, field_pointer(pointer, "", member), address, &name);
	if (is_read) {
		buf_add_text(&mail->headers, field);
		add_mailbox(&mail->headers, buf_slice(&name), address);
		buf_add_char(&mail->headers, '\n');
	}
	buf_done(&name);
	return is_read;
}

/* ---- header fields ---- */

/* Whose customer the mail is: the domain of From, and the key must be for it. */
static bool check_domain(struct mail *mail, struct call *call, const struct address *from)
{
	memcpy(mail->domain, from->domain, from->domain_len + 1u);
	if (!config_customer_of(call->web->config, slice_of(mail->domain))) {
		call_refuse(call, 422, "/from", "mail of %s is not sent from here", mail->domain);
		return false;
	}
	if (call->key.customer[0] && strcmp(call->key.customer, mail->domain) != 0) {
		call_refuse(call, 403, "/from", "the key %s is for %s alone", call->key.name,
			    call->key.customer);
		return false;
	}
	return true;
}

/* Fields that are members of their own, or made by the sender. */
static bool is_own(struct slice name)
{
	static const char *const names[] = { "From",	     "To",
					     "Bcc",	     "Subject",
					     "Reply-To",     "MIME-Version",
					     "List-Unsubscribe", "List-Unsubscribe-Post" };

	for (size_t i = 0; i < array_count(names); i++) {
		if (slice_equal_nocase(name, slice_of(names[i])))
			return true;
	}
	return slice_has_prefix_nocase(name, SLICE("Content-"));
}

static bool is_header_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		/* RFC 5322 section 3.6.8 has more; these are those that every host keeps. */
		if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]) &&
		    name.ptr[i] != '-' && name.ptr[i] != '_')
			return false;
	}
	return name.len > 0 && name.len <= HEADER_NAME_MAX;
}

static bool add_header(struct mail *mail, struct call *call, const json_t *headers,
		       const char *name)
{
	const char *base = "/headers";
	char pointer[FIELD_POINTER_MAX];
	const char *value;

	field_pointer(pointer, base, name);
	if (!is_header_name(slice_of(name))) {
		call_refuse(call, 422, pointer, "that is no name of a header field");
		return false;
	}
	if (is_own(slice_of(name))) {
		call_refuse(call, 422, pointer, "this field is made by other members of the call");
		return false;
	}
	if (!field_text(call, headers, base, name, HEADER_VALUE_MAX, &value))
		return false;
	if (!value) {
		call_refuse(call, 422, pointer, "a header field's value is text");
		return false;
	}
	buf_add_format(&mail->headers, "%s: %s\n", name, value);
	return true;
}

static bool add_headers(struct mail *mail, struct call *call)
{
	const json_t *headers;
	const char *name;
	json_t *value;

	if (!field_object(call, call->json, "", "headers", &headers))
		return false;
	if (json_object_size(headers) > MAIL_HEADERS_MAX) {
		call_refuse(call, 422, "/headers", "more than %d header fields", MAIL_HEADERS_MAX);
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
		if (!add_header(mail, call, headers, name))
			return false;
	}
	return true;
}

static bool read_unsubscribe(struct mail *mail, struct call *call)
{
	static const char *const names[] = { "url", "mailto", NULL };
	const char *base = "/list_unsubscribe";
	const json_t *object;

	return field_object(call, call->json, "", "list_unsubscribe", &object) &&
	       field_known(call, object, base, names) &&
	       field_text(call, object, base, "url", 2048, &mail->unsubscribe_url) &&
	       field_text(call, object, base, "mailto", 512, &mail->unsubscribe_mailto);
}

static bool read_headers(struct mail *mail, struct call *call,
			 const struct mail_rows *rows)
{
	struct address address;
	const char *subject;

	if (!json_object_get(call->json, "from")) {
		call_refuse(call, 422, "/from", "there is no sender");
		return false;
	}
	if (!add_sender(mail, call, "from", "From: ", &address) ||
	    !check_domain(mail, call, &address))
		return false;
	if (json_object_get(call->json, "reply_to") &&
	    !json_is_null(json_object_get(call->json, "reply_to")) &&
	    !add_sender(mail, call, "reply_to", "Reply-To: ", &address))
		return false;
	if (!field_text(call, call->json, "", "subject", MAIL_SUBJECT_MAX, &subject))
		return false;
	if (!subject)
		subject = mail->subject;
	if (!subject) {
		call_refuse(call, 422, "/subject", "there is no subject");
		return false;
	}
	buf_add_format(&mail->headers, "Subject: %s\n", subject);
	if (rows->has_names)
		buf_add_text(&mail->headers, "To: {{" MAIL_NAME_COLUMN "}} <{{email}}>\n");
	return add_headers(mail, call) && read_unsubscribe(mail, call);
}

/* ---- trying it out ---- */

/* Every field is one line of the block, in this order. */
static const char *pointer_of_line(const struct call *call, u32 line)
{
	const json_t *reply_to = json_object_get(call->json, "reply_to");
	u32 subject = reply_to && !json_is_null(reply_to) ? 3 : 2;

	if (line == subject)
		return "/subject";
	return line == 1 ? "/from" : line < subject ? "/reply_to" : "/headers";
}

/* The member that a sentence is about: "mail:2: Subject: ...", "mail (html):7: ...". */
static const char *pointer_of(const struct call *call, const char *sentence)
{
	static const struct {
		const char *begin;
		const char *pointer;
	} rows[] = {
		{ SOURCE_NAME " (text):", "/text" },
		{ SOURCE_NAME " (html):", "/html" },
		{ "unsubscribe-url:", "/list_unsubscribe/url" },
		{ "unsubscribe-mailto:", "/list_unsubscribe/mailto" },
	};
	struct slice rest = slice_of(sentence);
	u32 line;

	for (size_t i = 0; i < array_count(rows); i++) {
		if (slice_has_prefix(rest, slice_of(rows[i].begin)))
			return rows[i].pointer;
	}
	if (!slice_equal(slice_split(&rest, ':'), SLICE(SOURCE_NAME)) ||
	    !slice_to_u32(slice_split(&rest, ':'), &line))
		return NULL;
	return pointer_of_line(call, line);
}

/* A value with a line end may stand in a text, but in no header field. */
static bool try_rows(struct call *call, const struct message *message,
		     const struct mail_rows *rows)
{
	struct slice values[CONTROL_COLUMNS_MAX];
	struct message_composed composed;
	struct slice rest = buf_slice(&rows->bytes);
	struct slice wire;
	struct slice packed;
	bool is_fine = true;

	message_composed_init(&composed);
	while (is_fine && control_row_take(&rest, &wire, &packed) == CONTROL_ROW) {
		struct address address;
		struct error error = { "" };
		const struct message_recipient recipient = {
			.address = &address,
			.values = values,
			.value_count = rows->column_count,
			.token = SLICE("trial"),
		};

		if (!row_values_unpack(packed, values, rows->column_count) ||
		    !address_parse(&address, wire, &error))
			continue;
		is_fine = true;
		for (size_t i = 0; i < rows->column_count; i++)
			is_fine &= !field_has_control(values[i]);
		is_fine = is_fine || message_compose(message, &recipient, false, &composed,
						     &error) != MESSAGE_BAD_VALUE;
		if (!is_fine)
			call_refuse(call, 422, "/to", "%.*s: %s", SLICE_FMT(wire), error.text);
	}
	message_composed_done(&composed);
	return is_fine;
}

static bool try_out(struct mail *mail, struct call *call, const struct mail_rows *rows)
{
	struct slice columns[CONTROL_COLUMNS_MAX];
	const struct message_source source = {
		.name = SOURCE_NAME,
		.headers = buf_slice(&mail->headers),
		.text = slice_of(mail->text),
		.html = slice_of(mail->html),
	};
	const struct message_options options = {
		.columns = columns,
		.column_count = rows->column_count,
		.unsubscribe_url = text_of(mail->unsubscribe_url),
		.unsubscribe_mailto = text_of(mail->unsubscribe_mailto),
	};
	struct message *message;
	struct error error;
	bool is_fine;

	for (size_t i = 0; i < rows->column_count; i++)
		columns[i] = slice_of(rows->columns[i]);
	message = message_compile(&source, &options, &error);
	if (!message && mail->template[0]) {
		mail_refuse_template(mail, call, &error);
		return false;
	}
	if (!message) {
		call_refuse(call, 422, pointer_of(call, error.text), "%s", error.text);
		return false;
	}
	is_fine = try_rows(call, message, rows);
	message_free(message);
	return is_fine;
}

bool mail_take(struct mail *mail, struct call *call, const struct mail_rows *rows)
{
	const json_t *attachments;

	if (!field_body(call, call->json, "", "text", &mail->text) ||
	    !field_body(call, call->json, "", "html", &mail->html) ||
	    !mail_take_template(mail, call) || !read_headers(mail, call, rows) ||
	    !field_list(call, call->json, "", "attachments", MAIL_ATTACHMENTS_MAX, &attachments))
		return false;
	if (!*mail->text && !*mail->html) {
		call_refuse(call, 422, "/text", "there is neither text nor html");
		return false;
	}
	if (mail->headers.failed) {
		call_refuse(call, 422, "/headers", "the header fields are too long");
		return false;
	}
	return try_out(mail, call, rows) &&
	       (json_array_size(attachments) == 0 || mail_add_parts(mail, call, attachments));
}

/* ---- for the sender ---- */

void mail_set_sizes(const struct mail *mail, struct control_campaign_create *create)
{
	bool is_whole = mail->whole.len > 0;

	create->source = is_whole ? CONTROL_SOURCE_WHOLE : CONTROL_SOURCE_PARTS;
	create->sizes[CONTROL_DATA_WHOLE] = mail->whole.len;
	create->sizes[CONTROL_DATA_HEADERS] = is_whole ? 0 : mail->headers.len;
	create->sizes[CONTROL_DATA_TEXT] = is_whole ? 0 : strlen(mail->text);
	create->sizes[CONTROL_DATA_HTML] = is_whole ? 0 : strlen(mail->html);
}

void mail_add_data(const struct mail *mail, struct exchange *exchange)
{
	if (mail->whole.len > 0) {
		exchange_data(exchange, CONTROL_DATA_WHOLE, buf_slice(&mail->whole));
		return;
	}
	exchange_data(exchange, CONTROL_DATA_HEADERS, buf_slice(&mail->headers));
	exchange_data(exchange, CONTROL_DATA_TEXT, slice_of(mail->text));
	exchange_data(exchange, CONTROL_DATA_HTML, slice_of(mail->html));
}
