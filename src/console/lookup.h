/*
 * DNS for the operator's commands, by the same resolver and options as the sender: those of its
 * configuration, or, when there is none yet, from the roots.
 */
#ifndef CONSOLE_LOOKUP_H
#define CONSOLE_LOOKUP_H

#include "base/config.h"
#include "console/console.h"
#include "dns/mx_config.h"
#include "dns/question.h"

#define LOOKUP_TIMEOUT_MS 10000

struct lookup_dns {
	struct config config; /* zeroed when there is none */
	struct net_range allowed[CONFIG_LIST_MAX];
	struct mx_params params;
	struct question_asker *asker;
};

/* False with the error set: nothing to close. */
bool lookup_open(const struct console *console, struct lookup_dns *dns, struct error *error);
void lookup_close(struct lookup_dns *dns);

/*
 * Where mail for the domain goes; waits. False with the error set: the resolver cannot be had.
 * What DNS says is in answer->status.
 */
bool lookup_mx(struct lookup_dns *dns, const char *domain, struct mx_answer *answer,
	       struct error *error);

/* A name as people type it, to A-labels; false when it is no domain name. */
bool lookup_name(const char *typed, char name[QUESTION_NAME_SIZE]);

#endif
