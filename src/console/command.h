/*
 * The table of commands: it drives dispatch and every level of --help.
 */
#ifndef CONSOLE_COMMAND_H
#define CONSOLE_COMMAND_H

#include "console/console.h"

#include <stdio.h>

enum command_flag {
	COMMAND_APPLIANCE = 1, /* needs init: of the appliance alone */
	COMMAND_SCREEN = 2,    /* talks to the terminal itself: its output is not paged */
};

struct command {
	const char *group; /* "campaign"; NULL for commands of one word */
	const char *name;  /* "create" */
	/* argc and argv hold what stands behind the command's words. */
	int (*run)(struct console *console, int argc, char **argv);
	u32 flags; /* of enum command_flag */
	const char *summary; /* one line, as in a list */
	const char *usage;   /* what stands behind the command's words */
	const char *text;    /* paragraphs and examples for --help; lines of at most 78 columns */
};

size_t command_count(void);
const struct command *command_at(size_t index); /* below command_count */

/*
 * Finds the command of words[0..count). *used is how many words name it. NULL with a sentence when
 * there is none; with only a group's name, NULL and *group set.
 */
const struct command *command_find(char **words, int count, int *used, const char **group,
				   struct error *error);

/* "campaign create"; `room` has 64 bytes or more. */
const char *command_name(const struct command *command, char *room, size_t size);

/*
 * Help. On the appliance's console (console->is_inside) commands are told without the program's
 * name in front.
 */
void command_help_all(FILE *out, const struct console *console);
void command_help_group(FILE *out, const struct console *console, const char *group);
void command_help(FILE *out, const struct console *console, const struct option *options,
		  size_t count);

/* The global options, for tables of help and for parsing. */
#define CONSOLE_GLOBAL_OPTIONS 4
void command_global_options(struct console *console, struct option options[CONSOLE_GLOBAL_OPTIONS]);

/*
 * The options of a command, for completion and help of the console: the command itself runs as far
 * as its table. Texts are literals; `out` and `words` of the options must not be used.
 */
#define COMMAND_OPTIONS_MAX 24
size_t command_options(const struct command *command, struct option options[COMMAND_OPTIONS_MAX]);

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
int queue_unknown_run(struct console *console, int argc, char **argv);
int delivery_log_show_run(struct console *console, int argc, char **argv);
int delivery_log_export_run(struct console *console, int argc, char **argv);
int hook_list_run(struct console *console, int argc, char **argv);
int hook_test_run(struct console *console, int argc, char **argv);
int hook_resume_run(struct console *console, int argc, char **argv);
int hook_remove_run(struct console *console, int argc, char **argv);
int hook_secret_run(struct console *console, int argc, char **argv);
int site_list_run(struct console *console, int argc, char **argv);
int site_show_run(struct console *console, int argc, char **argv);
int site_set_run(struct console *console, int argc, char **argv);
int site_unset_run(struct console *console, int argc, char **argv);
int site_suspend_run(struct console *console, int argc, char **argv);
int site_resume_run(struct console *console, int argc, char **argv);
int site_forgive_run(struct console *console, int argc, char **argv);
int warmup_show_run(struct console *console, int argc, char **argv);
int warmup_start_run(struct console *console, int argc, char **argv);
int warmup_pause_run(struct console *console, int argc, char **argv);
int warmup_skip_run(struct console *console, int argc, char **argv);
int warmup_stop_run(struct console *console, int argc, char **argv);
int letter_send_run(struct console *console, int argc, char **argv);
int letter_show_run(struct console *console, int argc, char **argv);
int suppression_add_run(struct console *console, int argc, char **argv);
int suppression_remove_run(struct console *console, int argc, char **argv);
int suppression_show_run(struct console *console, int argc, char **argv);
int suppression_list_run(struct console *console, int argc, char **argv);
int suppression_import_run(struct console *console, int argc, char **argv);
int suppression_export_run(struct console *console, int argc, char **argv);
int contacts_import_run(struct console *console, int argc, char **argv);
extern const char contacts_import_help[];
int contacts_export_run(struct console *console, int argc, char **argv);
int contacts_list_imports_run(struct console *console, int argc, char **argv);
int contacts_status_run(struct console *console, int argc, char **argv);
int contacts_run_run(struct console *console, int argc, char **argv);
int contacts_cancel_run(struct console *console, int argc, char **argv);
int contacts_undo_run(struct console *console, int argc, char **argv);
int contacts_report_run(struct console *console, int argc, char **argv);
int api_key_add_run(struct console *console, int argc, char **argv);
int web_user_add_run(struct console *console, int argc, char **argv);
extern const char web_user_add_help[];
int api_key_list_run(struct console *console, int argc, char **argv);
int api_key_remove_run(struct console *console, int argc, char **argv);
int tls_report_show_run(struct console *console, int argc, char **argv);
int tls_report_send_run(struct console *console, int argc, char **argv);
int keys_new_run(struct console *console, int argc, char **argv);
int keys_show_run(struct console *console, int argc, char **argv);
int user_add_run(struct console *console, int argc, char **argv);
int user_list_run(struct console *console, int argc, char **argv);
int user_passwd_run(struct console *console, int argc, char **argv);
int user_remove_run(struct console *console, int argc, char **argv);
int check_run(struct console *console, int argc, char **argv);
int status_run(struct console *console, int argc, char **argv);
int stop_run(struct console *console, int argc, char **argv);
int version_run(struct console *console, int argc, char **argv);
int service_list_run(struct console *console, int argc, char **argv);
int service_restart_run(struct console *console, int argc, char **argv);
int service_kill_run(struct console *console, int argc, char **argv);
int service_stop_run(struct console *console, int argc, char **argv);
int service_start_run(struct console *console, int argc, char **argv);
int logs_run(struct console *console, int argc, char **argv);
int network_show_run(struct console *console, int argc, char **argv);
int network_set_run(struct console *console, int argc, char **argv);
int network_remove_run(struct console *console, int argc, char **argv);
int network_apply_run(struct console *console, int argc, char **argv);
int network_confirm_run(struct console *console, int argc, char **argv);
int network_adopt_run(struct console *console, int argc, char **argv);
int network_revert_run(struct console *console, int argc, char **argv);
int upgrade_command_run(struct console *console, int argc, char **argv);
int backup_run(struct console *console, int argc, char **argv);
int restore_run(struct console *console, int argc, char **argv);
int setup_run(struct console *console, int argc, char **argv);
int records_run(struct console *console, int argc, char **argv);
int config_show_run(struct console *console, int argc, char **argv);
int config_replace_run(struct console *console, int argc, char **argv);
int pages_put_run(struct console *console, int argc, char **argv);
int pages_list_run(struct console *console, int argc, char **argv);
int pages_remove_run(struct console *console, int argc, char **argv);
int certificate_show_run(struct console *console, int argc, char **argv);
int certificate_put_run(struct console *console, int argc, char **argv);
int file_put_run(struct console *console, int argc, char **argv);
int file_get_run(struct console *console, int argc, char **argv);
int file_list_run(struct console *console, int argc, char **argv);
int file_remove_run(struct console *console, int argc, char **argv);
int dig_run(struct console *console, int argc, char **argv);
int mx_run(struct console *console, int argc, char **argv);
int ping_run(struct console *console, int argc, char **argv);
int connect_run(struct console *console, int argc, char **argv);
int top_run(struct console *console, int argc, char **argv);
int check_identity_run(struct console *console, int argc, char **argv);
int time_run(struct console *console, int argc, char **argv);
int reboot_run(struct console *console, int argc, char **argv);
int poweroff_run(struct console *console, int argc, char **argv);

#endif
