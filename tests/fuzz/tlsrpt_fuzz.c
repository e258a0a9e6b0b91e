/*
 * Any bytes as a record that asks for TLS reports, and as a list of places: what is taken keeps the
 * header's promises, and what was taken once is taken again.
 */
#include "base/check.h"
#include "base/text.h"
#include "dns/mx_parts.h"
#include "dns/tlsrpt.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_uri(const struct tlsrpt_uri *uri)
{
	size_t len = strnlen(uri->target, sizeof(uri->target));

	ASSERT(len > 0 && len < sizeof(uri->target));
	for (size_t i = 0; i < uri->text.len; i++)
		ASSERT(uri->text.ptr[i] > ' ' && uri->text.ptr[i] < 0x7f && uri->text.ptr[i] != ',');
	for (size_t i = 0; i < len; i++)
		ASSERT(uri->target[i] > ' ' && uri->target[i] < 0x7f);
	if (uri->kind == TLSRPT_MAILTO)
		ASSERT(strchr(uri->target, '@'));
	else
		ASSERT(uri->kind == TLSRPT_HTTPS && uri->port > 0 &&
		       mx_name_kind(uri->target) == MX_NAME_HOST);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice input = { (const char *)data, size };
	struct tlsrpt_uri uri;
	char rua[TLSRPT_RUA_SIZE];
	u32 count = 0;

	if (tlsrpt_txt_read(rua, input) == TLSRPT_TXT_GOOD) {
		struct slice rest = slice_of(rua);
		size_t total = 0;

		while (rest.ptr) {
			ASSERT(tlsrpt_uri_next(&rest, &uri));
			check_uri(&uri);
			total += uri.text.len + 1;
			count++;
		}
		ASSERT(count > 0 && count <= TLSRPT_URIS_MAX && total == strlen(rua) + 1);
	}
	while (tlsrpt_uri_next(&input, &uri))
		check_uri(&uri);
	return 0;
}
