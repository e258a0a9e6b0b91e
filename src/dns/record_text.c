#include "dns/record_text.h"

#include "base/net_address.h"
#include "base/text.h"

#include <string.h>

static const u16 types[] = {
	RECORD_A,  RECORD_AAAA, RECORD_CAA, RECORD_CNAME, RECORD_DNSKEY, RECORD_DS,  RECORD_MX,
	RECORD_NS, RECORD_PTR,  RECORD_SOA, RECORD_SRV,   RECORD_TLSA,   RECORD_TXT,
};
const char *const record_type_names[] = { "A",  "AAAA", "CAA", "CNAME", "DNSKEY", "DS",  "MX",
					  "NS", "PTR",  "SOA", "SRV",   "TLSA",   "TXT", NULL };

u16 record_type_of(struct slice name)
{
	for (size_t i = 0; i < array_count(types); i++) {
		if (slice_equal_nocase(name, slice_of(record_type_names[i])))
			return types[i];
	}
	return 0;
}

const char *record_type_name(u16 type)
{
	for (size_t i = 0; i < array_count(types); i++) {
		if (types[i] == type)
			return record_type_names[i];
	}
	return "?";
}

/* ---- parts ---- */

struct reader {
	const u8 *at;
	size_t left;
	bool is_bad;
};

static u32 take_number(struct reader *reader, size_t bytes)
{
	u32 value = 0;

	if (reader->left < bytes) {
		reader->is_bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | reader->at[i];
	reader->at += bytes;
	reader->left -= bytes;
	return value;
}

static void add_byte(struct buf *out, u8 byte, const char *special)
{
	if (byte < 0x20 || byte >= 0x7f)
		buf_add_format(out, "\\%03u", byte);
	else if (strchr(special, byte))
		buf_add_format(out, "\\%c", byte);
	else
		buf_add_char(out, (char)byte);
}

size_t record_name(char out[256], const u8 *bytes, size_t len)
{
	struct buf text;
	size_t at = 0;

	buf_init(&text, 1024);
	while (at < len && bytes[at] > 0) {
		size_t label = bytes[at++];

		if (label > 63 || label > len - at)
			break;
		if (text.len > 0)
			buf_add_char(&text, '.');
		for (size_t i = 0; i < label; i++)
			add_byte(&text, bytes[at + i], ".\\\"(); ");
		at += label;
	}
	/* Broken off before the root's empty label: no name. */
	if (at >= len || bytes[at] != 0 ||
	    !slice_copy(out, 256, text.len > 0 ? buf_slice(&text) : SLICE(".")))
		at = 0;
	else
		at++;
	buf_done(&text);
	return at;
}

static void take_name(struct reader *reader, struct buf *out)
{
	char name[256];
	size_t used = reader->is_bad ? 0 : record_name(name, reader->at, reader->left);

	reader->is_bad |= used == 0;
	if (reader->is_bad)
		return;
	buf_add_text(out, name);
	if (strcmp(name, ".") != 0)
		buf_add_char(out, '.');
	reader->at += used;
	reader->left -= used;
}

static void take_string(struct reader *reader, size_t len, struct buf *out)
{
	if (reader->is_bad || len > reader->left) {
		reader->is_bad = true;
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < len; i++)
		add_byte(out, reader->at[i], "\"\\");
	buf_add_char(out, '"');
	reader->at += len;
	reader->left -= len;
}

static void add_hex(struct buf *out, const u8 *bytes, size_t len)
{
	char *room = buf_reserve(out, 2 * len);

	if (room) {
		hex_encode(room, bytes, len);
		buf_advance(out, 2 * len);
	}
}

static void take_rest(struct reader *reader, bool is_base64, struct buf *out)
{
	char *room = is_base64 ? buf_reserve(out, base64_length(reader->left)) : NULL;

	if (!is_base64)
		add_hex(out, reader->at, reader->left);
	else if (room)
		buf_advance(out, base64_encode(room, reader->at, reader->left));
	reader->left = 0;
}

/* ---- types ---- */

static void add_address(struct reader *reader, u8 family, struct buf *out)
{
	struct net_address address = { .family = family };
	size_t size = family == 4 ? 4 : 16;
	char text[NET_ADDRESS_TEXT_SIZE];

	reader->is_bad = reader->left != size;
	if (reader->is_bad)
		return;
	memcpy(address.ip, reader->at, size);
	reader->left = 0;
	net_address_format(text, &address, false);
	buf_add_text(out, text);
}

/* Each letter is a field: 1, 2, 4 numbers of bytes, n a name, s strings to the end, t a tag with
 * its length and a value to the end, h hex and b base64 to the end. */
static const char *shape_of(u16 type)
{
	switch (type) {
	case RECORD_NS:
	case RECORD_CNAME:
	case RECORD_PTR:
		return "n";
	case RECORD_SOA:
		return "nn44444";
	case RECORD_MX:
		return "2n";
	case RECORD_TXT:
		return "s";
	case RECORD_SRV:
		return "222n";
	case RECORD_DS:
		return "211h";
	case RECORD_DNSKEY:
		return "211b";
	case RECORD_TLSA:
		return "111h";
	case RECORD_CAA:
		return "1t";
	default:
		return NULL;
	}
}

static void add_field(struct reader *reader, char field, struct buf *out)
{
	size_t len;

	switch (field) {
	case 'n':
		take_name(reader, out);
		break;
	case 's':
		do {
			take_string(reader, take_number(reader, 1), out);
			if (reader->left > 0)
				buf_add_char(out, ' ');
		} while (reader->left > 0 && !reader->is_bad);
		break;
	case 't':
		len = take_number(reader, 1);
		for (; len > 0 && !reader->is_bad; len--)
			add_byte(out, (u8)take_number(reader, 1), "\"\\ ");
		buf_add_char(out, ' ');
		take_string(reader, reader->left, out);
		break;
	case 'h':
	case 'b':
		take_rest(reader, field == 'b', out);
		break;
	default:
		buf_add_u64(out, take_number(reader, (size_t)(field - '0')));
		break;
	}
}

void record_text(struct buf *out, u16 type, const u8 *bytes, size_t len)
{
	struct reader reader = { bytes, len, false };
	const char *shape = shape_of(type);
	size_t start = out->len;

	if (type == RECORD_A || type == RECORD_AAAA)
		add_address(&reader, type == RECORD_A ? 4 : 6, out);
	else if (!shape)
		reader.is_bad = true;
	for (; shape && *shape && !reader.is_bad; shape++) {
		add_field(&reader, *shape, out);
		if (shape[1])
			buf_add_char(out, ' ');
	}
	if (!reader.is_bad && reader.left == 0)
		return;
	out->len = start;
	buf_add_format(out, "\\# %zu ", len);
	add_hex(out, bytes, len);
}

bool record_txt_value(struct buf *out, const u8 *bytes, size_t len)
{
	while (len > 0) {
		size_t part = bytes[0];

		if (part > len - 1)
			return false;
		buf_add(out, bytes + 1, part);
		bytes += part + 1;
		len -= part + 1;
	}
	return !out->failed;
}
