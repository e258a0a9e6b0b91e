/*
 * The table of commands: it drives dispatch and every level of --help.
 */
#ifndef CONSOLE_COMMAND_H
#define CONSOLE_COMMAND_H

#include "console/console.h"

#include <stdio.h>

struct command {
	const char *group; /* "campaign"; NULL for commands of one word */
	const char *name;  /* "create" */
	/* argc and argv hold what stands behind the command's words. */
	int (*run)(struct console *console, int argc, char **argv);
	const char *summary; /* one line, as in a list */
	const char *usage;   /* what stands behind the command's words */
	const char *text;    /* paragraphs and examples for --help; lines of at most 78 columns */
};

extern const struct command commands[];
extern const size_t command_count;

/*
 * Finds the command of words[0..count). *used is how many words name it. NULL with a sentence when
 * there is none; with only a group's name, NULL and *group set.
 */
const struct command *command_find(char **words, int count, int *used, const char **group,
				   struct error *error);

void command_help_all(FILE *out);
void command_help_group(FILE *out, const char *group);
void command_help(FILE *out, const struct command *command, const struct option *options,
		  size_t count);

/* The global options, for tables of help and for parsing. */
#define CONSOLE_GLOBAL_OPTIONS 4
void command_global_options(struct console *console, struct option options[CONSOLE_GLOBAL_OPTIONS]);

/* The commands' functions, one file per group: campaign_create.c, campaign.c, queue.c, ... */
int campaign_create_run(struct console *console, int argc, char **argv);
int campaign_start_run(struct console *console, int argc, char **argv);
int campaign_pause_run(struct console *console, int argc, char **argv);
int campaign_resume_run(struct console *console, int argc, char **argv);
int campaign_cancel_run(struct console *console, int argc, char **argv);
int campaign_status_run(struct console *console, int argc, char **argv);
int campaign_report_run(struct console *console, int argc, char **argv);
int queue_list_run(struct console *console, int argc, char **argv);
int queue_show_run(struct console *console, int argc, char **argv);
int queue_retry_run(struct console *console, int argc, char **argv);
int queue_bounce_run(struct console *console, int argc, char **argv);
int queue_suspend_run(struct console *console, int argc, char **argv);
int queue_resume_run(struct console *console, int argc, char **argv);
int queue_doubt_run(struct console *console, int argc, char **argv);
int keys_new_run(struct console *console, int argc, char **argv);
int keys_show_run(struct console *console, int argc, char **argv);
int check_run(struct console *console, int argc, char **argv);
int status_run(struct console *console, int argc, char **argv);
int stop_run(struct console *console, int argc, char **argv);
int version_run(struct console *console, int argc, char **argv);

#endif
