/*
 * Private to config*.c: sites, of the operator's file and of the rules that come with the program.
 *
 * Of an option that several give, the first of these counts: the operator's section, the shipped
 * section of the same name, the operator's "default", what is built in.
 */
#ifndef BASE_CONFIG_SITE_H
#define BASE_CONFIG_SITE_H

#include "base/config.h"
#include "base/config_file.h"

/* The shipped sections: what each gives, and nothing else. */
struct config_providers {
	struct config_site *sites;
	size_t count;
};

/* Before the operator's file is opened. False only without memory. */
bool config_providers_read(struct config_providers *providers, struct arena *arena,
			   struct error *error) MUST_CHECK;
/* config->sites from the file and from `providers`, those of the file first. */
bool config_sites_read(struct config_file *file, struct config *config,
		       const struct config_providers *providers) MUST_CHECK;

#endif
