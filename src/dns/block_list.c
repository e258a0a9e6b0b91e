#include "dns/block_list.h"

#include "base/text.h"

#include <stdio.h>

bool block_list_name(char out[QUESTION_NAME_SIZE], const struct net_address *address,
		     const char *zone)
{
	char reversed[QUESTION_REVERSE_SIZE];
	size_t digits;
	int len;

	question_reverse(reversed, address);
	digits = strlen(reversed) - strlen(address->family == 6 ? ".ip6.arpa" : ".in-addr.arpa");
	len = snprintf(out, QUESTION_NAME_SIZE, "%.*s.%s", (int)digits, reversed, zone);
	return len > 0 && len <= 253;
}

enum block_list_says block_list_read(const struct question_answer *answer,
				     char code[NET_ADDRESS_TEXT_SIZE])
{
	enum block_list_says says = BLOCK_LIST_STRANGE;

	code[0] = '\0';
	if (answer->status >= QUESTION_FAILED)
		return BLOCK_LIST_SILENT;
	if (answer->count == 0)
		return BLOCK_LIST_CLEAN;
	for (size_t i = 0; i < answer->count && says != BLOCK_LIST_LISTED; i++) {
		const u8 *ip = answer->records[i].bytes;
		struct net_address address = { .family = 4 };

		if (answer->records[i].len != 4)
			continue;
		memcpy(address.ip, ip, 4);
		net_address_format(code, &address, false);
		if (ip[0] == 127)
			says = ip[1] == 255 && ip[2] == 255 ? BLOCK_LIST_REFUSES
							    : BLOCK_LIST_LISTED;
	}
	return says;
}
