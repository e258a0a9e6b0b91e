/* Header fields of the message: which are allowed, which differ by recipient, which are added. */
#include "message/compiled.h"

#include "base/text.h"
#include "message/header.h"

#include <string.h>

#define SHARED_MAX 128

enum rule {
	RULE_ONCE = 1,
	RULE_REFUSED = 2, /* transports own it */
	RULE_LITERAL = 4, /* no merge fields */
	RULE_DROPPED = 8, /* written anew */
	RULE_PRIVATE = 16, /* of a literal message: left out */
};

static const struct header_rule {
	const char *name;
	u8 kind;
	u8 rules;
} header_rules[] = {
	{ "From", HEADER_MAILBOXES, RULE_ONCE | RULE_LITERAL },
	{ "Sender", HEADER_MAILBOXES, RULE_ONCE | RULE_LITERAL },
	{ "Reply-To", HEADER_MAILBOXES, RULE_ONCE },
	{ "To", HEADER_MAILBOXES, RULE_ONCE },
	{ "Cc", HEADER_MAILBOXES, RULE_ONCE },
	{ "Subject", HEADER_TEXT, RULE_ONCE },
	{ "Date", HEADER_TOKENS, RULE_ONCE | RULE_LITERAL },
	{ "Message-ID", HEADER_TOKENS, RULE_ONCE },
	{ "In-Reply-To", HEADER_TOKENS, RULE_ONCE },
	{ "References", HEADER_TOKENS, RULE_ONCE },
	{ "MIME-Version", HEADER_TOKENS, RULE_ONCE | RULE_LITERAL | RULE_DROPPED },
	{ "List-Unsubscribe", HEADER_URLS, RULE_ONCE },
	{ "List-Unsubscribe-Post", HEADER_TOKENS, RULE_ONCE | RULE_LITERAL },
	{ "List-Help", HEADER_URLS, RULE_ONCE },
	{ "List-Subscribe", HEADER_URLS, RULE_ONCE },
	{ "List-Post", HEADER_URLS, RULE_ONCE },
	{ "List-Owner", HEADER_URLS, RULE_ONCE },
	{ "List-Archive", HEADER_URLS, RULE_ONCE },
	{ "Bcc", HEADER_TEXT, RULE_REFUSED | RULE_PRIVATE },
	{ "Received", HEADER_TEXT, RULE_REFUSED },
	{ "Return-Path", HEADER_TEXT, RULE_REFUSED | RULE_PRIVATE },
	{ "DKIM-Signature", HEADER_TEXT, RULE_REFUSED },
};

static bool refuse(struct compiler *c, u32 line, struct slice name, const char *why)
{
	return error_set(c->error, "%s:%u: %.*s: %s", c->message->name, line, SLICE_FMT(name), why);
}

static const struct header_rule *find_rule(struct slice name)
{
	static const struct header_rule text = { "", HEADER_TEXT, 0 };

	for (size_t i = 0; i < array_count(header_rules); i++) {
		if (slice_equal_nocase(name, slice_of(header_rules[i].name)))
			return &header_rules[i];
	}
	return &text;
}

static const struct message_header *find_header(const struct compiler *c, const char *name)
{
	struct slice wanted = slice_of(name);

	for (u32 i = 0; i < c->message->own_count; i++) {
		if (slice_equal_nocase(c->message->own[i].name, wanted))
			return &c->message->own[i];
	}
	for (u32 i = 0; i < c->shared_count; i++) {
		if (slice_equal_nocase(c->shared[i].name, wanted))
			return &c->shared[i];
	}
	return NULL;
}

static bool add_header(struct compiler *c, const struct message_header *header, bool own)
{
	if (own ? c->message->own_count == OWN_HEADERS_MAX : c->shared_count == SHARED_MAX)
		return refuse(c, header->line, header->name,
			      own ? "too many header fields differ by recipient"
				  : "too many header fields");
	if (own)
		c->message->own[c->message->own_count++] = *header;
	else
		c->shared[c->shared_count++] = *header;
	return true;
}

/* Takes the line ends out of a folded value and refuses control characters. */
static bool unfold(struct compiler *c, const struct message_header *header, struct buf *value)
{
	size_t n = 0;

	for (size_t i = 0; i < value->len; i++) {
		u8 byte = (u8)value->ptr[i];

		if (byte == '\n')
			continue;
		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return refuse(c, header->line, header->name,
				      "it holds a control character");
		value->ptr[n++] = value->ptr[i];
	}
	value->len = n;
	return true;
}

/* End of the mailbox at the front: the comma outside quotes and brackets. */
static size_t mailbox_end(struct slice text, size_t *open)
{
	bool quoted = false;
	bool bracket = false;
	size_t i;

	*open = (size_t)-1;
	for (i = 0; i < text.len; i++) {
		char ch = text.ptr[i];

		if (quoted && ch == '\\') {
			i++;
		} else if (ch == '"') {
			quoted = !quoted;
		} else if (!quoted && ch == '<' && !bracket) {
			bracket = true;
			*open = i;
		} else if (!quoted && ch == '>') {
			bracket = false;
		} else if (!quoted && !bracket && ch == ',') {
			break;
		}
	}
	return min_size(i, text.len);
}

static bool split_mailbox(struct compiler *c, struct message_header *header, struct slice item,
			  size_t open, struct message_mailbox *mailbox)
{
	struct buf name;
	struct buf decoded;
	struct address address;

	buf_init(&name, 1u << 16);
	buf_init(&decoded, 1u << 18);
	if (open < item.len) {
		item = slice_trim(item);
		if (item.ptr[item.len - 1] != '>') {
			buf_done(&name);
			return refuse(c, header->line, header->name,
				      "an address has no > at its end");
		}
	}
	mailbox->address = slice_trim(item);
	if (open < item.len) {
		header_unquote(&name, slice_trim(slice_first(item, open)));
		header_decode_words(&decoded, buf_slice(&name));
		mailbox->address =
			slice_trim((struct slice){ item.ptr + open + 1, item.len - open - 2 });
	}
	decoded.failed |= name.failed;
	mailbox->name = arena_copy_buf(&c->message->arena, &decoded);
	mailbox->address = arena_copy(&c->message->arena, mailbox->address);
	buf_done(&name);
	buf_done(&decoded);
	if (!mailbox->name.ptr || !mailbox->address.ptr)
		return refuse(c, header->line, header->name, "it is too long");
	if (template_has_fields(mailbox->address))
		return true;
	if (!address_parse(&address, mailbox->address, c->error))
		return error_prefix(c->error, "%s:%u: %.*s", c->message->name, header->line,
				    SLICE_FMT(header->name));
	return true;
}

static bool split_mailboxes(struct compiler *c, struct message_header *header, struct slice text)
{
	u32 max = 1;

	for (size_t i = 0; i < text.len; i++)
		max += text.ptr[i] == ',';
	header->mailboxes = arena_take(&c->message->arena, max * sizeof(*header->mailboxes));
	if (!header->mailboxes)
		return refuse(c, header->line, header->name, "it is too big");
	for (;;) {
		size_t open;
		struct slice rest = slice_trim(text);
		size_t end = mailbox_end(rest, &open);

		if (!split_mailbox(c, header, slice_first(rest, end), open,
				   &header->mailboxes[header->mailbox_count]))
			return false;
		header->mailbox_count++;
		if (end >= rest.len)
			return true;
		text = slice_from(rest, end + 1);
	}
}

/* Fills in what the kind needs from the marked, unfolded value. */
static bool fill_header(struct compiler *c, struct message_header *header, struct buf *value)
{
	struct buf decoded;

	if (header->kind == HEADER_MAILBOXES)
		return split_mailboxes(c, header, buf_slice(value));
	if (header->kind != HEADER_TEXT) {
		header->text = arena_copy(&c->message->arena, slice_trim(buf_slice(value)));
		return header->text.ptr != NULL;
	}
	buf_init(&decoded, 4u * MESSAGE_TEMPLATE_MAX);
	header_decode_words(&decoded, buf_slice(value));
	header->text = arena_copy_buf(&c->message->arena, &decoded);
	buf_done(&decoded);
	if (!header->text.ptr)
		return refuse(c, header->line, header->name, "it is too long");
	header->text = slice_trim(header->text);
	return true;
}

/*
 * A literal field in ASCII is as its author wrote it, whatever it is; others have to be encoded. Of
 * two addresses in brackets readers could take another one for the author than we do: written anew,
 * the first is a part of the name.
 */
static bool is_kept(const struct compiler *c, const struct mime_header *source)
{
	u32 brackets = 0;

	for (size_t i = 0; i < source->value.len; i++)
		brackets += source->value.ptr[i] == '<';
	return c->options->literal && header_may_stay(source->name, source->value) &&
	       (brackets < 2 || !slice_equal_nocase(source->name, SLICE("From")));
}

/* Of a list of addresses or URLs each is read by itself: no condition reaches over them. */
static bool has_turns(const struct compiler *c, size_t before)
{
	const struct template_field *fields = (const void *)c->set.fields.ptr;

	for (size_t i = before; i < c->set.fields.len / sizeof(*fields); i++) {
		if (fields[i].kind != TEMPLATE_FIELD)
			return true;
	}
	return false;
}

static bool take_header(struct compiler *c, const struct mime_header *source)
{
	const struct header_rule *rule = find_rule(source->name);
	const bool literal = c->options->literal;
	const bool kept = is_kept(c, source);
	struct message_header header = { .name = source->name,
					 .line = source->line,
					 .kind = rule->kind };
	struct template_source text = { .name = c->message->name,
					.text = source->value,
					.line = source->line };
	const size_t before = c->set.fields.len / sizeof(struct template_field);
	struct buf value;
	bool done;

	if (literal && (rule->rules & RULE_PRIVATE))
		return true;
	if ((rule->rules & RULE_REFUSED) && !literal)
		return refuse(c, source->line, source->name, "a template cannot set this field");
	if ((rule->rules & RULE_ONCE) && find_header(c, rule->name))
		return refuse(c, source->line, source->name, "the field is given twice");
	/* What From says is looked at in any case: see check_from. */
	if (kept && strcmp(rule->name, "From") != 0)
		header.kind = HEADER_KEPT;
	buf_init(&value, 2u * MESSAGE_TEMPLATE_MAX);
	done = template_parse(&c->set, &text,
			      rule->kind == HEADER_URLS ? PLACE_HEADER_URL : PLACE_HEADER, &value,
			      c->error) &&
	       unfold(c, &header, &value);
	if (done && rule->kind != HEADER_TEXT && has_turns(c, before))
		done = refuse(c, source->line, source->name, "a condition cannot stand here");
	if (done && (rule->rules & RULE_LITERAL) && template_has_fields(buf_slice(&value)))
		done = refuse(c, source->line, source->name, "a merge field cannot stand here");
	if (done && !(rule->rules & RULE_DROPPED)) {
		done = fill_header(c, &header, &value);
		if (kept) {
			header.kind = HEADER_KEPT;
			header.text = source->value;
		}
		done = done && add_header(c, &header, template_has_fields(buf_slice(&value)));
	}
	buf_done(&value);
	return done;
}

static bool check_from(struct compiler *c)
{
	const struct message_header *from = find_header(c, "From");
	struct address address;

	if (!from)
		return error_set(c->error, "%s:1: there is no From field", c->message->name);
	if (from->mailbox_count != 1)
		return refuse(c, from->line, from->name, "it must be one address");
	if (!address_parse(&address, from->mailboxes[0].address, c->error))
		return false;
	memcpy(c->message->facts.from_domain, address.domain, address.domain_len + 1u);
	c->message->facts.from = address;
	return true;
}

static bool add_unsubscribe_url(struct compiler *c, const char *name, struct slice text,
				const char *prefix, struct buf *value)
{
	struct template_source source = { .name = name, .text = text, .line = 1 };

	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < 0x20 || text.ptr[i] == '<' || text.ptr[i] == '>')
			return error_set(c->error,
					 "%s:1: there is a character that a URL cannot have", name);
	}
	if (text.len == 0)
		return true;
	if (value->len > 0)
		buf_add_text(value, ", ");
	buf_add_char(value, '<');
	if (!slice_has_prefix_nocase(text, slice_of(prefix)))
		buf_add_text(value, prefix);
	if (!template_parse(&c->set, &source, PLACE_HEADER_URL, value, c->error))
		return false;
	buf_add_char(value, '>');
	return true;
}

static bool add_unsubscribe(struct compiler *c)
{
	struct message_header header = { .name = SLICE("List-Unsubscribe"), .kind = HEADER_URLS };
	struct buf value;
	bool done;

	buf_init(&value, 1u << 16);
	done = add_unsubscribe_url(c, "unsubscribe-url", c->options->unsubscribe_url, "", &value) &&
	       add_unsubscribe_url(c, "unsubscribe-mailto", c->options->unsubscribe_mailto,
				   "mailto:", &value);
	if (done && value.failed)
		done = refuse(c, header.line, header.name, "it is too long");
	if (done && value.len > 0)
		done = fill_header(c, &header, &value) &&
		       add_header(c, &header, template_has_fields(buf_slice(&value)));
	buf_done(&value);
	return done;
}

/* RFC 8058: a one-click field beside every https URL. */
static bool check_unsubscribe(struct compiler *c)
{
	static const struct message_header post = { .name = SLICE("List-Unsubscribe-Post"),
						    .text = SLICE("List-Unsubscribe=One-Click"),
						    .kind = HEADER_TOKENS };
	struct message_facts *facts = &c->message->facts;
	const struct message_header *list = find_header(c, "List-Unsubscribe");
	bool https = false;

	if (!list && !add_unsubscribe(c))
		return false;
	list = find_header(c, "List-Unsubscribe");
	facts->has_unsubscribe = list != NULL;
	if (!list)
		return !c->options->require_unsubscribe ||
		       error_set(c->error,
				 "%s:1: there is no List-Unsubscribe field, and no address or URL "
				 "to make one from",
				 c->message->name);
	for (size_t i = 0; i < list->text.len; i++)
		https |= slice_has_prefix_nocase(slice_from(list->text, i), SLICE("<https://"));
	facts->has_one_click = https;
	if (https && !find_header(c, "List-Unsubscribe-Post"))
		return add_header(c, &post, false);
	return true;
}

static bool add_made(struct compiler *c, const char *name, enum header_kind kind)
{
	struct message_header header = { .name = slice_of(name), .kind = (u8)kind };

	return find_header(c, name) || add_header(c, &header, true);
}

/* A literal message to nobody that it names is not made one to each of its recipients. */
static bool add_to(struct compiler *c)
{
	static const struct message_header nobody = { .name = SLICE("To"),
						      .text = SLICE("undisclosed-recipients:;"),
						      .kind = HEADER_TOKENS };

	if (!c->options->literal)
		return add_made(c, "To", HEADER_RECIPIENT);
	return find_header(c, "To") || find_header(c, "Cc") || add_header(c, &nobody, false);
}

bool compile_headers(struct compiler *c, struct slice block, u32 line)
{
	struct arena *arena = &c->message->arena;
	struct mime_header header;
	int more;

	c->message->own = arena_take(arena, OWN_HEADERS_MAX * sizeof(*c->message->own));
	c->shared = arena_take(arena, SHARED_MAX * sizeof(*c->shared));
	if (!c->message->own || !c->shared)
		return error_set(c->error, "%s: out of memory", c->message->name);
	while ((more = mime_next_header(&block, &line, c->message->name, &header, c->error)) > 0) {
		if (slice_has_prefix_nocase(header.name, SLICE("Content-"))) {
			if (c->root->headers.ptr)
				continue;
			return refuse(c, header.line, header.name, "this field is made by itself");
		}
		if (!take_header(c, &header))
			return false;
	}
	return more == 0 && check_from(c) && add_made(c, "Date", HEADER_DATE) &&
	       add_made(c, "Message-ID", HEADER_MESSAGE_ID) &&
	       add_to(c) && check_unsubscribe(c);
}
