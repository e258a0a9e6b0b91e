#include "smtp/mailbox.h"

#include "base/net_address.h"
#include "base/text.h"
#include "base/utf8.h"
#include "smtp/command.h"

#define C1_LAST 0x9f /* control characters go from U+0080 to here */

/* The byte at the front, or -1; bytes over 127 as they are. */
static int front(struct slice s)
{
	return s.len > 0 ? (unsigned char)s.ptr[0] : -1;
}

static bool skip(struct slice *s, char what)
{
	if (front(*s) != what)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* Length of the character beyond ASCII at the front; 0: there is none, or none that may stand. */
static size_t beyond_ascii(struct slice s)
{
	u32 code;
	size_t len = utf8_decode(s, &code);

	return len > 1 && code > C1_LAST ? len : 0;
}

/* Length of what may stand in an atom (`letters`: in a label, hyphens included); 0: nothing. */
static size_t atom_character(struct slice s, bool letters)
{
	int byte = front(s);

	if (byte < 0)
		return 0;
	if (byte > 0x7f)
		return beyond_ascii(s);
	if (letters)
		return ascii_is_alpha((char)byte) || ascii_is_digit((char)byte) || byte == '-';
	return ascii_is_atext((char)byte);
}

/* What was read from the front of `whole` until only `rest` was left. */
static struct slice read_until(struct slice whole, struct slice rest)
{
	return slice_first(whole, whole.len - rest.len);
}

static bool read_dot_string(struct slice *s, bool *odd_dots)
{
	bool dot_before = true;
	bool has_atext = false;
	size_t len = 0;

	*odd_dots = false;
	for (;;) {
		if (front(*s) == '.') {
			*odd_dots = *odd_dots || dot_before;
			dot_before = true;
			len = 1;
		} else {
			len = atom_character(*s, false);
			if (len == 0)
				break;
			has_atext = true;
			dot_before = false;
		}
		*s = slice_from(*s, len);
	}
	*odd_dots = *odd_dots || dot_before;
	return has_atext;
}

static bool read_quoted_string(struct slice *s)
{
	if (!skip(s, '"'))
		return false;
	while (s->len > 0 && s->ptr[0] != '"') {
		size_t len = 1;

		/* quoted-pairSMTP and qtextSMTP: SP to tilde, and UTF-8. */
		if (s->ptr[0] == '\\')
			*s = slice_from(*s, 1);
		if (front(*s) > 0x7f)
			len = beyond_ascii(*s);
		else if (front(*s) < ' ' || front(*s) == 0x7f)
			len = 0;
		if (len == 0)
			return false;
		*s = slice_from(*s, len);
	}
	return skip(s, '"');
}

static bool read_literal(struct slice *s)
{
	static const struct slice tag = SLICE("IPv6:");
	i64 end = slice_find_char(*s, ']');
	struct net_address address;
	struct slice text;
	u8 family = 4;

	if (end < 0)
		return false;
	text = slice_first(slice_from(*s, 1), (size_t)end - 1);
	*s = slice_from(*s, (size_t)end + 1);
	if (slice_has_prefix_nocase(text, tag)) {
		text = slice_from(text, tag.len);
		family = 6;
	}
	return net_address_parse(&address, text, false) && address.family == family;
}

static bool read_label(struct slice *s)
{
	struct slice whole = *s;
	struct slice label;
	size_t len;

	while ((len = atom_character(*s, true)) > 0)
		*s = slice_from(*s, len);
	label = read_until(whole, *s);
	return label.len > 0 && label.len <= SMTP_LABEL_MAX && label.ptr[0] != '-' &&
	       label.ptr[label.len - 1] != '-';
}

static bool read_domain(struct slice *s)
{
	struct slice whole = *s;

	if (front(*s) == '[')
		return read_literal(s);
	do {
		if (!read_label(s))
			return false;
	} while (skip(s, '.'));
	return whole.len - s->len <= SMTP_DOMAIN_MAX;
}

bool smtp_domain_is_valid(struct slice s)
{
	return read_domain(&s) && s.len == 0;
}

/* "@one.test,@two.test:" in front of a mailbox. */
static bool skip_source_route(struct slice *s)
{
	if (front(*s) != '@')
		return true;
	do {
		if (!skip(s, '@') || !read_domain(s))
			return false;
	} while (skip(s, ','));
	return skip(s, ':');
}

bool smtp_mailbox_read(struct smtp_mailbox *mailbox, struct slice *s)
{
	struct slice start;
	bool good;

	*mailbox = (struct smtp_mailbox){ .path = { NULL, 0 } };
	if (!skip(s, '<'))
		return false;
	if (skip(s, '>'))
		return true;
	if (!skip_source_route(s))
		return false;
	start = *s;
	good = front(*s) == '"' ? read_quoted_string(s) : read_dot_string(s, &mailbox->odd_dots);
	if (!good)
		return false;
	mailbox->local = read_until(start, *s);
	if (skip(s, '@')) {
		mailbox->domain = *s;
		mailbox->literal = front(*s) == '[';
		if (!read_domain(s))
			return false;
		mailbox->domain = read_until(mailbox->domain, *s);
	} else if (!slice_equal_nocase(mailbox->local, SLICE("postmaster"))) {
		return false;
	}
	mailbox->path = read_until(start, *s);
	mailbox->utf8 = !utf8_is_ascii(mailbox->path);
	return mailbox->path.len <= SMTP_PATH_MAX && skip(s, '>');
}
