/*
 * lighttpd as a process of ours: started, told to begin anew with another certificate, told of a
 * log that was moved away, ended. It never has what we have of groups and rights beyond ports below
 * 1024: our configuration, and the sockets of other roles, are not its business.
 */
#ifndef WEB_FRONT_SERVER_H
#define WEB_FRONT_SERVER_H

#include "base/error.h"
#include "base/types.h"

#include <sys/types.h>

struct front_server {
	const char *program; /* borrowed */
	const char *config;  /* borrowed: path of what it is told */
	bool has_limits;     /* as struct front_setting */
	bool has_h2_module;
	pid_t pid; /* 0: it does not run */
};

/* Asks the program what it is. False: it does not run at all. */
bool front_server_probe(struct front_server *server, struct error *error) MUST_CHECK;
/* Whether it can read its configuration; at most some seconds. */
bool front_server_check(const struct front_server *server, struct error *error) MUST_CHECK;
bool front_server_start(struct front_server *server, struct error *error) MUST_CHECK;
/*
 * It begins anew, as the same process and on the same sockets, so that nobody is refused; what is
 * under way is finished by the generation before.
 */
void front_server_renew(const struct front_server *server);
/* It opens its log by name again. */
void front_server_reopen(const struct front_server *server);
/* Ends it: requests have patience_ms, then they are broken off. */
void front_server_stop(struct front_server *server, u64 patience_ms);
/* Whether it runs; collects it when it ended. */
bool front_server_runs(struct front_server *server) MUST_CHECK;

/*
 * In a child, before another program: signals as a program expects them, an end together with the
 * parent's, and with `drop` no group and no capability but ports below 1024.
 */
bool front_child(bool drop) MUST_CHECK;

#endif
