/*
 * PID 1 of the appliance: `hikyaku init`. One thread, one loop. It mounts, opens the data volume,
 * brings the network up, and keeps the services running; whatever a service does, init and the
 * consoles stay. The parts:
 *
 *   init.c        start, loop
 *   init_boot.c   data volume and configuration as they become known, boot stages
 *   init_output.c what services say, into the log
 *   init_end.c    the way down
 *   supervisor.h  which services run      services.h  how each is run
 *   server.h      the control socket      task.h      one-shot programs
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "base/appliance.h"
#include "base/stream.h"
#include "init/button.h"
#include "init/health.h"
#include "init/identity_note.h"
#include "init/logbook.h"
#include "init/loop.h"
#include "init/mail_in.h"
#include "init/server.h"
#include "init/services.h"
#include "init/supervisor.h"
#include "init/watchdog.h"

#include <jansson.h>

#define INIT_STAGES_MAX 8

enum init_ending { INIT_GOES_ON, INIT_REBOOTS, INIT_POWERS_OFF };

/* A step of the boot that is over: how long after the kernel's start. */
struct init_stage {
	const char *name;
	u64 at_ms;
};

/* What somebody writes, cut into lines. */
struct init_output {
	struct init *init;
	struct loop_source source; /* fd -1: not in use */
	char service[SUPERVISOR_NAME_SIZE];
	struct stream_lines lines;
};

enum init_data { INIT_DATA_OPENING, INIT_DATA_OPEN, INIT_DATA_READ_ONLY, INIT_DATA_NONE };
const char *init_data_name(enum init_data data); /* "opening", "open", "read-only", "none" */

struct task;

/* What a system on trial has to pass, again and again until it does. */
struct init_test {
	struct task *run; /* under way */
	u64 due_ms;
	bool is_passed;
};

struct init {
	struct loop loop;
	struct logbook *logbook;
	struct supervisor supervisor;
	struct services services;
	struct server *server;
	struct network *network;
	struct appliance appliance;
	struct watchdog watchdog;
	struct button button;
	int console_fd; /* the kernel's console: stages, and errors when wanted */
	struct loop_source signals;
	struct loop_source notifications;
	struct loop_source kernel_log;
	struct loop_source network_events;
	struct init_output own;
	struct init_output outputs[SUPERVISOR_SERVICES_MAX]; /* index as in the supervisor */
	struct init_stage stages[INIT_STAGES_MAX];
	u32 stage_count;
	enum init_data data;
	char data_device[64];
	char data_note[256];            /* what was done to the volume, or what is wrong with it */
	struct loop_source data_result; /* of the child that opens the volume */
	pid_t data_pid;
	char slot[8]; /* "a", "b"; "": started without */
	struct health health;
	bool is_trial; /* the slot is not marked good */
	struct init_test mail_test;
	struct init_test page_test;
	struct identity_notes identity;
	struct mail_in mail_in;
	u64 deaths; /* of services, that nobody asked for */
	enum init_ending ending;
	u64 ending_since_ms;
	u64 metrics_due_ms;
	u64 seed_due_ms;
	bool metrics_failed;
};

int init_main(int argc, char **argv);

/* Monotonic milliseconds: what all of init counts in. */
u64 init_now_ms(void);
/* JSON text of bytes that may be no UTF-8: what is wrong becomes U+FFFD. NULL: no memory. */
json_t *init_json_text(struct slice text);

/* ---- init_boot.c ---- */

void init_stage(struct init *init, const char *name);
/* Begins to open the data volume, in a process of its own. */
void init_open_data(struct init *init);
/* The data volume can be read. */
bool init_has_data(const struct init *init);
/* That process ended. */
bool init_data_reaped(struct init *init, pid_t pid, int status);
/* Reads appliance.conf (again) and lets it count. False: the old one stays. */
bool init_read_appliance(struct init *init, struct error *error) MUST_CHECK;
/* Conditions of services that depend on files and the network. */
void init_look_around(struct init *init);

/* ---- init_slot.c ---- */

/* Reads which slot runs, once /boot is there. */
void init_read_slot(struct init *init);
/* Marks the slot good, or gives it up, when it is time for that. */
void init_health_turn(struct init *init, u64 now_ms);

/* ---- init_output.c ---- */

void init_output_open(struct init *init, struct init_output *output, const char *service, int fd);
void init_output_close(struct init_output *output); /* takes what is left first */
bool init_kernel_log_open(struct init *init);

/* ---- init_metrics.c ---- */

/* Writes the page of machine and services for the metrics responder, when it is time. */
void init_metrics_turn(struct init *init, u64 now_ms);

/* ---- init_end.c ---- */

void init_end(struct init *init, enum init_ending ending, const char *why);
/* True: everything has ended, the machine may go. */
bool init_may_go(const struct init *init);
NORETURN void init_go(struct init *init);

#endif
