#include "dns/records.h"

#include "base/text.h"

#include <string.h>

#define STRING_MAX 255

void records_spf(const struct records *records, struct buf *out)
{
	buf_add_text(out, "v=spf1");
	for (size_t i = 0; i < records->address_count; i++)
		buf_add_format(out, " %s:%s", strchr(records->addresses[i], ':') ? "ip6" : "ip4",
			       records->addresses[i]);
	buf_add_text(out, " -all");
}

void records_dmarc(const struct records *records, struct buf *out)
{
	buf_add_format(out, "v=DMARC1; p=none; rua=mailto:dmarc@%s", records->domain);
}

void records_strings(struct buf *out, struct slice value)
{
	do {
		struct slice part = slice_first(value, STRING_MAX);

		buf_add_char(out, '"');
		for (size_t i = 0; i < part.len; i++) {
			if (part.ptr[i] == '"' || part.ptr[i] == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, part.ptr[i]);
		}
		buf_add_char(out, '"');
		value = slice_from(value, part.len);
		if (value.len > 0)
			buf_add_char(out, ' ');
	} while (value.len > 0);
}

void records_txt(struct buf *out, const char *name, struct slice value)
{
	buf_add_format(out, "%s. IN TXT ", name);
	records_strings(out, value);
}
