#include "message/address.h"

#include "base/text.h"
#include "base/utf8.h"

#include <idn2.h>
#include <string.h>

static bool refuse(struct error *error, struct slice text, const char *why)
{
	char shown[80];
	size_t n = 0;

	/* The sentence goes to logs and terminals: what cannot be printed is shown as a question
	 * mark. */
	for (size_t i = 0; i < text.len && n + 1 < sizeof(shown); i++)
		shown[n++] = (u8)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? '?' : text.ptr[i];
	shown[n] = '\0';
	return error_set(error, "address \"%s\": %s", shown, why);
}

/* RFC 6531 section 3.3: beyond ASCII, all is atext. */
static bool is_atext(char c)
{
	return ascii_is_atext(c) || (u8)c >= 0x80;
}

static bool is_dot_atom(struct slice s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.len; i++) {
		bool dot = s.ptr[i] == '.';

		if ((dot && after_dot) || (!dot && !is_atext(s.ptr[i])))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

/* Cuts off the local part. Returns NULL, or why not. */
static const char *take_local(struct address *address, struct slice *rest)
{
	bool quoted = rest->len > 0 && rest->ptr[0] == '"';
	bool closed = !quoted;
	size_t at = quoted ? 1 : 0;
	size_t n = 0;

	for (; at < rest->len; at++) {
		char c = rest->ptr[at];

		if (quoted && c == '"') {
			closed = true;
			at++;
			break;
		}
		if (quoted && c == '\\' && at + 1 < rest->len)
			c = rest->ptr[++at];
		else if (!quoted && c == '@')
			break;
		else if (!quoted && c != '.' && !is_atext(c))
			return "a character in the local part needs quotes";
		if (n >= ADDRESS_LOCAL_MAX)
			return "the local part is over 64 octets";
		address->local[n++] = c;
		address->utf8_local |= (u8)c >= 0x80;
	}
	if (!closed)
		return "the quoted local part has no end";
	if (at >= rest->len || rest->ptr[at] != '@')
		return "there is no @";
	if (n == 0)
		return "the local part is empty";
	address->local[n] = '\0';
	address->local_len = (u16)n;
	address->not_dot_atom = !is_dot_atom((struct slice){ address->local, n });
	*rest = slice_from(*rest, at + 1);
	return NULL;
}

/* Letters, digits, hyphens; at least two labels, the last one not a number. NULL, or why not. */
static const char *check_domain(struct slice domain)
{
	struct slice rest = domain;
	struct slice label = domain;
	u32 labels = 0;
	u64 number;

	if (domain.len == 0)
		return "the domain is empty";
	if (domain.len > ADDRESS_DOMAIN_MAX)
		return "the domain is over 253 octets";
	while (rest.ptr) {
		label = slice_split(&rest, '.');
		if (label.len == 0)
			return "a label of the domain is empty";
		if (label.len > 63)
			return "a label of the domain is over 63 octets";
		if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return "a label of the domain begins or ends with a hyphen";
		for (size_t i = 0; i < label.len; i++) {
			char c = label.ptr[i];

			if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-')
				return "the domain has a character that names cannot have";
		}
		labels++;
	}
	if (labels < 2)
		return "the domain has only one label";
	if (slice_to_u64(label, &number))
		return "the domain ends with a number";
	return NULL;
}

static const char *take_domain(struct address *address, struct slice domain)
{
	char unicode[4 * ADDRESS_DOMAIN_MAX + 1];
	char *ascii = NULL;
	const char *why;
	int code;

	if (domain.len > 0 && domain.ptr[0] == '[')
		return "address literals are not accepted";
	if (utf8_is_ascii(domain)) {
		why = check_domain(domain);
		if (why)
			return why;
		memcpy(address->domain, domain.ptr, domain.len);
		address->domain_len = (u16)domain.len;
	} else {
		if (!slice_copy(unicode, sizeof(unicode), domain))
			return "the domain is over 253 octets";
		code = idn2_to_ascii_8z(unicode, &ascii,
					IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
		if (code == IDN2_MALLOC)
			return "out of memory";
		if (code != IDN2_OK)
			return "the domain is not a valid international name (IDNA 2008)";
		why = check_domain(slice_of(ascii));
		if (!why) {
			address->domain_len = (u16)strlen(ascii);
			memcpy(address->domain, ascii, address->domain_len);
		}
		idn2_free(ascii);
		if (why)
			return why;
	}
	ascii_lower_in_place(address->domain, address->domain_len);
	address->domain[address->domain_len] = '\0';
	return NULL;
}

bool address_parse(struct address *address, struct slice text, struct error *error)
{
	struct slice rest = slice_trim(text);
	const char *why;

	*address = (struct address){ 0 };
	/* Before anything else: no byte that could end a line or a string gets further (RFC
	 * 5321 4.1.2). */
	for (size_t i = 0; i < rest.len; i++) {
		u8 c = (u8)rest.ptr[i];

		if (c == '\r' || c == '\n')
			return refuse(error, rest, "it holds a line end");
		if (c < 0x20 || c == 0x7f)
			return refuse(error, rest, "it holds a control character");
	}
	if (rest.len == 0)
		return refuse(error, rest, "it is empty");
	if (!utf8_is_valid(rest))
		return refuse(error, SLICE("..."), "it is not valid UTF-8");
	why = take_local(address, &rest);
	if (!why)
		why = take_domain(address, rest);
	return why ? refuse(error, slice_trim(text), why) : true;
}

/* Appends a display name without its quotes. */
static void add_unquoted(struct buf *out, struct slice s)
{
	bool quoted = false;

	s = slice_trim(s);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		buf_add_char(out, s.ptr[i]);
	}
}

bool address_parse_mailbox(struct address *address, struct buf *name, struct slice text,
			   struct error *error)
{
	bool quoted = false;
	size_t open = 0;

	text = slice_trim(text);
	for (open = 0; open < text.len; open++) {
		char c = text.ptr[open];

		if (quoted && c == '\\')
			open++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == '<' && !quoted)
			break;
	}
	if (open >= text.len)
		return address_parse(address, text, error);
	if (text.ptr[text.len - 1] != '>')
		return refuse(error, text, "there is no > at the end");
	for (size_t i = 0; i < open; i++) {
		if ((u8)text.ptr[i] < 0x20 && text.ptr[i] != '\t')
			return refuse(error, text, "the name holds a control character");
	}
	if (!utf8_is_valid(slice_first(text, open)))
		return refuse(error, SLICE("..."), "the name is not valid UTF-8");
	if (name)
		add_unquoted(name, slice_first(text, open));
	return address_parse(address, slice_first(slice_from(text, open + 1), text.len - open - 2),
			     error);
}

void address_add_wire(const struct address *address, struct buf *out)
{
	if (!address->not_dot_atom) {
		buf_add(out, address->local, address->local_len);
	} else {
		buf_add_char(out, '"');
		for (size_t i = 0; i < address->local_len; i++) {
			if (address->local[i] == '"' || address->local[i] == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, address->local[i]);
		}
		buf_add_char(out, '"');
	}
	buf_add_char(out, '@');
	buf_add(out, address->domain, address->domain_len);
}

void address_add_key(const struct address *address, struct buf *out)
{
	for (size_t i = 0; i < address->local_len; i++)
		buf_add_char(out, ascii_lower(address->local[i]));
	buf_add_char(out, '@');
	buf_add(out, address->domain, address->domain_len);
}

size_t address_key_of_wire(char *out, struct slice wire)
{
	const bool is_quoted = wire.len > 0 && wire.ptr[0] == '"';
	size_t domain = wire.len - address_wire_domain(wire).len;
	size_t len = 0;
	size_t end = domain > 0 ? domain - 1 : 0; /* of the local part */

	if (is_quoted && end > 1)
		end--;
	for (size_t i = is_quoted ? 1 : 0; i < end; i++) {
		if (is_quoted && wire.ptr[i] == '\\' && i + 1 < end)
			i++;
		out[len++] = ascii_lower(wire.ptr[i]);
	}
	out[len++] = '@';
	memcpy(out + len, wire.ptr + domain, wire.len - domain);
	return len + wire.len - domain;
}

struct slice address_wire_domain(struct slice wire)
{
	for (size_t i = wire.len; i > 0; i--) {
		if (wire.ptr[i - 1] == '@')
			return slice_from(wire, i);
	}
	return SLICE_NONE;
}
