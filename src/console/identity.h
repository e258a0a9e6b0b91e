/*
 * Who this installation says it is, put together from the configuration, the network and the keys.
 */
#ifndef CONSOLE_IDENTITY_H
#define CONSOLE_IDENTITY_H

#include "base/config.h"
#include "console/console.h"
#include "console/records.h"
#include "delivery/identity_check.h"

/* One customer. */
struct identity {
	struct records records; /* points into the rest */
	const char *addresses[IDENTITY_ADDRESSES_MAX];
	char address_texts[IDENTITY_ADDRESSES_MAX][64];
	char domain[256];
	char hostname[256];
	struct identity_key keys[IDENTITY_KEYS_MAX];
	size_t key_count;
};

/*
 * Of the customer with that domain (NULL: the first one). Addresses of which the kernel chooses
 * ("any") are all that init knows; keys are read, or asked of init's task. False with the error
 * set; else the caller frees it by identity_done.
 */
bool identity_read(const struct console *console, const char *domain, struct identity *identity,
		   struct error *error) MUST_CHECK;
/* The same of the first customer, without its keys: nothing to free. */
bool identity_read_addresses(const struct console *console, struct identity *identity,
			     struct error *error) MUST_CHECK;
void identity_done(struct identity *identity);

/*
 * identity_read for a command whose only argument may be the domain. False: *code is its answer,
 * and the operator has been told.
 */
bool identity_of_arguments(struct console *console, int argc, char **argv,
			   struct identity *identity, int *code) MUST_CHECK;

/* All records to publish. */
void identity_print_records(FILE *out, const struct identity *identity);

#endif
