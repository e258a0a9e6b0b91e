#include "dns/mx_parts.h"

#include "base/text.h"

#include <string.h>

static bool is_name_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/*
 * A byte that no host name has becomes '?', so that a dot or a NUL within a label cannot pass for
 * something else; such a name is MX_NAME_UNFIT.
 */
static char name_byte(u8 byte)
{
	char c = ascii_lower((char)byte);

	return is_name_byte(c) ? c : '?';
}

bool mx_record_read(struct mx_record *record, const void *rdata, size_t len)
{
	const u8 *wire = rdata;
	size_t at = 2;
	size_t out = 0;

	if (len < 3)
		return false;
	record->preference = (u16)(wire[0] << 8 | wire[1]);
	while (at < len && wire[at] != 0) {
		size_t label = wire[at++];

		if (label > 63 || label > len - at || out + (out > 0) + label > MX_NAME_MAX)
			return false;
		if (out > 0)
			record->name[out++] = '.';
		for (size_t i = 0; i < label; i++)
			record->name[out++] = name_byte(wire[at++]);
	}
	record->name[out] = '\0';
	return at + 1 == len;
}

static bool labels_are_fine(struct slice name)
{
	if (name.len == 0 || name.len > MX_NAME_MAX)
		return false;
	while (name.ptr) {
		struct slice label = slice_split(&name, '.');

		if (label.len == 0 || label.len > 63)
			return false;
		for (size_t i = 0; i < label.len; i++) {
			if (!is_name_byte(label.ptr[i]))
				return false;
		}
	}
	return true;
}

/*
 * A last label of digits alone, or of "0x" and hex digits, makes of a name what inet_aton and its
 * like take for an IPv4 address ("127.1", "0x7f.1"); no top-level domain looks so (RFC 3696 section
 * 2).
 */
static bool looks_like_address(struct slice name)
{
	size_t last = name.len;
	struct slice label;
	size_t digits = 0;

	while (last > 0 && name.ptr[last - 1] != '.')
		last--;
	label = slice_from(name, last);
	if (slice_has_prefix_nocase(label, SLICE("0x")))
		return true;
	while (digits < label.len && ascii_is_digit(label.ptr[digits]))
		digits++;
	return digits == label.len;
}

static bool is_local(struct slice name)
{
	static const struct slice local = { "localhost", 9 };
	static const struct slice localdomain = { "localhost.localdomain", 21 };

	if (slice_equal(name, local) || slice_equal(name, localdomain))
		return true;
	return name.len > local.len && name.ptr[name.len - local.len - 1] == '.' &&
	       slice_equal(slice_from(name, name.len - local.len), local);
}

enum mx_name mx_name_kind(const char *name)
{
	struct slice s = slice_of(name);

	if (s.len == 0 || slice_equal(s, SLICE(".")))
		return MX_NAME_ROOT;
	if (!labels_are_fine(s) || looks_like_address(s))
		return MX_NAME_UNFIT;
	return is_local(s) ? MX_NAME_LOCAL : MX_NAME_HOST;
}

bool mx_domain_normalise(char out[256], struct slice domain)
{
	if (domain.len > 1 && domain.ptr[domain.len - 1] == '.')
		domain.len--;
	if (!labels_are_fine(domain) || looks_like_address(domain))
		return false;
	slice_copy(out, 256, domain);
	ascii_lower_in_place(out, domain.len);
	return true;
}
