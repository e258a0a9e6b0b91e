#include "dns/spf_macro.h"

#include "base/text.h"

#define VALUE_MAX 1024 /* of one macro, before its transformers */

/* One piece of a macro string: a byte that stands for itself, or what "%" begins. */
struct piece {
	char literal; /* '%' macros: 0 */
	bool is_escape; /* "%%", "%_", "%-": what they become is in `escaped` */
	const char *escaped;
	char letter; /* lower case */
	bool is_upper;
	bool is_reversed;
	u32 keep; /* right-hand parts; 0: all */
	struct slice delimiters;
};

static bool is_delimiter(char c)
{
	return memchr(".-+,/_=", c, 7) != NULL;
}

/* ---- reading ---- */

/* What stands between "%{" and "}". */
static bool read_macro(struct slice body, struct piece *piece)
{
	size_t at = 1;
	size_t digits = 0;

	if (body.len == 0)
		return false;
	piece->letter = ascii_lower(body.ptr[0]);
	piece->is_upper = piece->letter != body.ptr[0];
	if (!memchr("slodiphcrtv", piece->letter, 11))
		return false;
	while (at + digits < body.len && ascii_is_digit(body.ptr[at + digits]))
		digits++;
	if (digits > 0) {
		/* More parts than there are means all of them. */
		if (!slice_to_u32((struct slice){ body.ptr + at, digits }, &piece->keep))
			piece->keep = UINT32_MAX;
		if (piece->keep == 0)
			return false;
		at += digits;
	}
	if (at < body.len && ascii_lower(body.ptr[at]) == 'r') {
		piece->is_reversed = true;
		at++;
	}
	piece->delimiters = slice_from(body, at);
	for (size_t i = 0; i < piece->delimiters.len; i++) {
		if (!is_delimiter(piece->delimiters.ptr[i]))
			return false;
	}
	if (piece->delimiters.len == 0)
		piece->delimiters = SLICE(".");
	return true;
}

/* Takes the next piece off a text that is not empty; false: malformed. */
static bool take_piece(struct slice *text, struct piece *piece)
{
	char c = text->ptr[0];
	i64 end;

	*piece = (struct piece){ .literal = c };
	if (c != '%') {
		*text = slice_from(*text, 1);
		return true;
	}
	piece->literal = 0;
	if (text->len < 2)
		return false;
	if (text->ptr[1] != '{') {
		piece->is_escape = true;
		piece->escaped = text->ptr[1] == '%'   ? "%"
				 : text->ptr[1] == '_' ? " "
				 : text->ptr[1] == '-' ? "%20"
						       : NULL;
		*text = slice_from(*text, 2);
		return piece->escaped != NULL;
	}
	end = slice_find_char(*text, '}');
	if (end < 0 || !read_macro(slice_from(slice_first(*text, (size_t)end), 2), piece))
		return false;
	*text = slice_from(*text, (size_t)end + 1);
	return true;
}

static bool is_alphanumeric(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Letters, digits and inner hyphens, and not digits alone. */
static bool is_top_label(struct slice label)
{
	bool is_number = true;

	if (label.len == 0 || !is_alphanumeric(label.ptr[0]) ||
	    !is_alphanumeric(label.ptr[label.len - 1]))
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!is_alphanumeric(label.ptr[i]) && label.ptr[i] != '-')
			return false;
		is_number &= ascii_is_digit(label.ptr[i]);
	}
	return !is_number;
}

/* `tail`: the literal text behind the last macro. */
static bool ends_as_domain(struct slice tail, bool has_macro)
{
	size_t dot;

	if (tail.len == 0)
		return has_macro;
	if (tail.ptr[tail.len - 1] == '.')
		tail.len--;
	for (dot = tail.len; dot > 0 && tail.ptr[dot - 1] != '.'; dot--)
		;
	return dot > 0 && is_top_label(slice_from(tail, dot));
}

bool spf_macro_is_valid(struct slice text, enum spf_macro_place place)
{
	struct slice tail = text;
	bool has_macro = false;

	while (text.len > 0) {
		struct piece piece;

		if (!take_piece(&text, &piece))
			return false;
		if (piece.literal) {
			/* SP is of explanations alone; '%' has been dealt with. */
			if (piece.literal < (place == SPF_MACRO_EXPLAIN ? ' ' : '!') ||
			    piece.literal > '~')
				return false;
			continue;
		}
		if (piece.letter && memchr("crt", piece.letter, 3) && place != SPF_MACRO_EXPLAIN)
			return false;
		has_macro = true;
		tail = text;
	}
	return place != SPF_MACRO_DOMAIN || ends_as_domain(tail, has_macro);
}

bool spf_macro_wants_validated(struct slice text)
{
	struct piece piece;

	while (text.len > 0 && take_piece(&text, &piece)) {
		if (piece.letter == 'p')
			return true;
	}
	return false;
}

/* ---- expanding ---- */

static void add_dotted(struct buf *out, const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_SIZE];

	if (address->family == 4) {
		net_address_format(text, address, false);
		buf_add_text(out, text);
		return;
	}
	for (size_t i = 0; i < 16; i++)
		buf_add_format(out, "%s%x.%x", i > 0 ? "." : "", address->ip[i] >> 4,
			       address->ip[i] & 15);
}

/* What the letter stands for, before its transformers. */
static void add_value(struct buf *out, char letter, const struct spf_macro_values *values)
{
	char text[NET_ADDRESS_TEXT_SIZE];

	switch (letter) {
	case 's':
		buf_add_slice(out, values->local);
		buf_add_char(out, '@');
		buf_add_slice(out, values->sender_domain);
		break;
	case 'l':
		buf_add_slice(out, values->local);
		break;
	case 'o':
		buf_add_slice(out, values->sender_domain);
		break;
	case 'd':
		buf_add_slice(out, values->domain);
		break;
	case 'i':
		add_dotted(out, &values->address);
		break;
	case 'c':
		net_address_format(text, &values->address, false);
		buf_add_text(out, text);
		break;
	case 'p':
		buf_add_slice(out, values->validated);
		break;
	case 'v':
		buf_add_text(out, values->address.family == 6 ? "ip6" : "in-addr");
		break;
	case 'h':
		buf_add_slice(out, values->helo);
		break;
	case 'r':
		buf_add_slice(out, values->receiver);
		break;
	case 't':
		buf_add_u64(out, values->now_s);
		break;
	}
}

/* RFC 3986 section 2.3: what is not unreserved. */
static void add_escaped(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (is_alphanumeric(c) || memchr("-._~", c, 4))
			buf_add_char(out, c);
		else
			buf_add_format(out, "%%%02X", (u8)c);
	}
}

static struct slice take_part(struct slice *rest, struct slice delimiters)
{
	size_t len = 0;
	struct slice part;

	while (len < rest->len && slice_find_char(delimiters, rest->ptr[len]) < 0)
		len++;
	part = slice_first(*rest, len);
	*rest = len < rest->len ? slice_from(*rest, len + 1) : SLICE_NONE;
	return part;
}

static void add_macro(struct buf *out, const struct piece *piece,
		      const struct spf_macro_values *values)
{
	struct buf value;
	size_t count = 0;
	size_t first;

	buf_init(&value, VALUE_MAX);
	add_value(&value, piece->letter, values);
	out->failed |= value.failed;
	for (struct slice left = buf_slice(&value); left.ptr; count++)
		(void)take_part(&left, piece->delimiters);
	first = piece->keep > 0 && piece->keep < count ? count - piece->keep : 0;
	for (size_t i = first; i < count && !out->failed; i++) {
		size_t wanted = piece->is_reversed ? count - 1 - i : i;
		struct slice left = buf_slice(&value);
		struct slice part = SLICE_NONE;

		for (size_t k = 0; k <= wanted; k++)
			part = take_part(&left, piece->delimiters);
		if (i > first)
			buf_add_char(out, '.');
		if (piece->is_upper)
			add_escaped(out, part);
		else
			buf_add_slice(out, part);
	}
	buf_done(&value);
}

void spf_macro_expand(struct buf *out, struct slice text, const struct spf_macro_values *values)
{
	struct piece piece;

	while (text.len > 0 && !out->failed && take_piece(&text, &piece)) {
		if (piece.literal)
			buf_add_char(out, piece.literal);
		else if (piece.is_escape)
			buf_add_text(out, piece.escaped);
		else
			add_macro(out, &piece, values);
	}
}
