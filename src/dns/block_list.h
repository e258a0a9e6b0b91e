/*
 * Block lists in DNS (DNSBL, RFC 5782): the name to ask about an address, and what an answer means.
 */
#ifndef DNS_BLOCK_LIST_H
#define DNS_BLOCK_LIST_H

#include "base/net_address.h"
#include "dns/question.h"

enum block_list_says {
	BLOCK_LIST_CLEAN,   /* not listed */
	BLOCK_LIST_LISTED,  /* 127.0.0.0/8 (section 2.3) */
	BLOCK_LIST_REFUSES, /* 127.255.255.0/24: it does not answer this resolver, or not so much */
	BLOCK_LIST_STRANGE, /* an address that no list answers with: it is one no more */
	BLOCK_LIST_SILENT,  /* no answer */
};

/* Every list has it on it (section 5): who does not say so is no list, or not for us. */
#define BLOCK_LIST_TEST_POINT ((struct net_address){ .family = 4, .ip = { 127, 0, 0, 2 } })

/* "10.2.0.192.zen.example.org"; IPv6 by nibbles (section 2.4). False: the name is too long. */
bool block_list_name(char out[QUESTION_NAME_SIZE], const struct net_address *address,
		     const char *zone) MUST_CHECK;

/*
 * What the answer to that name's A records says. `code` is the address behind it, "127.0.0.2", or
 * "".
 */
enum block_list_says block_list_read(const struct question_answer *answer,
				     char code[NET_ADDRESS_TEXT_SIZE]);

#endif
