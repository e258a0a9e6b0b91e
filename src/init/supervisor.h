/*
 * Which services run: decisions only. It is told what happens (started, ready, exited, a condition
 * came true) and the time, and answers what is to be done next (start, terminate, kill). No process
 * is touched here, so the unit tests run through hours in no time.
 *
 * A service is started when it is wanted and its conditions hold. One that dies is started again
 * after a wait that doubles from SUPERVISOR_WAIT_MIN_MS to SUPERVISOR_WAIT_MAX_MS while it keeps
 * dying young; a life of SUPERVISOR_STEADY_MS forgives everything. No service can stop another:
 * they know each other through conditions only.
 */
#ifndef INIT_SUPERVISOR_H
#define INIT_SUPERVISOR_H

#include "base/types.h"

#include <sys/types.h>

#define SUPERVISOR_SERVICES_MAX 32
#define SUPERVISOR_NAME_SIZE 32
#define SUPERVISOR_WAIT_MIN_MS 250
#define SUPERVISOR_WAIT_MAX_MS 60000
#define SUPERVISOR_STEADY_MS 60000
#define SUPERVISOR_NEVER UINT64_MAX

/* What must hold before a service starts; several are or-ed together. */
enum supervisor_condition {
	SUPERVISOR_DATA = 1,       /* the data volume is mounted and may be written */
	SUPERVISOR_NETWORK = 2,    /* an address that is not loopback's */
	SUPERVISOR_CONFIGURED = 4, /* there is a configuration of the sender */
	SUPERVISOR_SSH_KEYS = 8,   /* somebody may log in */
	SUPERVISOR_BOOTED = 16, /* data and network had their first chance; consoles wait for it */
	SUPERVISOR_MAIL_IN = 32, /* the configuration has a section for mail that comes in */
};

enum supervisor_state {
	SUPERVISOR_STOPPED,  /* not wanted */
	SUPERVISOR_WAITING,  /* wanted; a condition does not hold */
	SUPERVISOR_STARTING, /* the process is there and has not said that it is ready */
	SUPERVISOR_RUNNING,
	SUPERVISOR_STOPPING,    /* asked to end */
	SUPERVISOR_BACKING_OFF, /* died; next start at `due_ms` */
};
const char *supervisor_state_name(enum supervisor_state state); /* "backing-off", ... */

struct supervisor_service {
	char name[SUPERVISOR_NAME_SIZE];
	u32 conditions;
	bool notifies; /* says itself when it is ready; else it is once it has been started */
	u32 stop_rank; /* lower ranks are gone before higher ones are asked to stop */
	u64 stop_patience_ms; /* between SIGTERM and SIGKILL */

	enum supervisor_state state;
	bool is_wanted;
	bool restarts_at_once; /* asked for by a person */
	bool must_be_killed;   /* asked for by a person */
	bool is_killed;
	pid_t pid;       /* 0: none */
	int last_status; /* as of waitpid; -1: never ended */
	u64 since_ms;    /* of the state */
	u64 started_ms;
	u64 due_ms;   /* BACKING_OFF: next start; STOPPING: SIGKILL */
	u64 wait_ms;  /* the last wait */
	u64 restarts; /* starts that were not the first */
	u64 starts;
};

struct supervisor {
	struct supervisor_service services[SUPERVISOR_SERVICES_MAX];
	u32 count;
	u32 conditions; /* that hold now */
	bool is_ending;
	u32 ending_rank;
};

void supervisor_init(struct supervisor *supervisor);

/* A copy of `service` with its state reset; NULL when SUPERVISOR_SERVICES_MAX are there. */
struct supervisor_service *supervisor_add(struct supervisor *supervisor,
					  const struct supervisor_service *service);
struct supervisor_service *supervisor_find(struct supervisor *supervisor, struct slice name);
struct supervisor_service *supervisor_find_pid(struct supervisor *supervisor, pid_t pid);

void supervisor_want(struct supervisor_service *service, bool is_wanted, u64 now_ms);
/* Ends it if it runs, and starts it without any wait; forgives earlier deaths. */
void supervisor_restart(struct supervisor_service *service, u64 now_ms);
/*
 * Ends it without asking it: for a service that hangs. It counts as a death, so a wanted one is
 * started again after a wait. False when it has no process.
 */
bool supervisor_kill(struct supervisor_service *service, u64 now_ms);
void supervisor_set_condition(struct supervisor *supervisor, enum supervisor_condition condition,
			      bool holds);

enum supervisor_action { SUPERVISOR_NOTHING, SUPERVISOR_START, SUPERVISOR_TERM, SUPERVISOR_KILL };
/*
 * The next thing to do, and with which service. START is answered by supervisor_started, before the
 * next call. TERM and KILL are signals for `pid`; the end comes by supervisor_exited.
 */
enum supervisor_action supervisor_next(struct supervisor *supervisor, u64 now_ms,
				       struct supervisor_service **service) MUST_CHECK;
/* pid 0: it could not be started, which counts as a death. */
void supervisor_started(struct supervisor_service *service, pid_t pid, u64 now_ms);
void supervisor_ready(struct supervisor_service *service, u64 now_ms);
void supervisor_exited(struct supervisor_service *service, int status, u64 now_ms);

/* When supervisor_next must be called again though nothing has happened; SUPERVISOR_NEVER: never.
 */
u64 supervisor_due_ms(const struct supervisor *supervisor);

/* From now on everything is stopped, rank by rank. */
void supervisor_end(struct supervisor *supervisor);
bool supervisor_has_ended(const struct supervisor *supervisor);

/* "exit code 1", "signal 9 (Killed)", "never" into `out`. */
#define SUPERVISOR_EXIT_SIZE 64
void supervisor_exit_text(int status, char out[SUPERVISOR_EXIT_SIZE]);

#endif
