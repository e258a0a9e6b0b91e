#include "console/network.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/settings.h"
#include "console/terminal.h"
#include "console/who.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_COLUMNS 68 /* behind the name */
#define SETTLE_MS 500
#define TRIAL_MS (60 * 1000)
#define MADE_NONE UINT32_MAX /* no interface is to be made; else an enum appliance_kind */

/* ---- show ---- */

const json_t *network_interfaces(const json_t *answer)
{
	const json_t *network = json_object_get(answer, "network");
	const json_t *from = json_is_object(network) ? network : answer;

	return json_is_array(network) ? network : json_object_get(from, "interfaces");
}

static void add_texts(struct buf *text, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		buf_add_char(text, ' ');
		human_text(text, slice_of(item ? item : "?"));
	}
}

static void add_named(struct buf *text, const json_t *object, const char *name, const char *label)
{
	struct slice value = answer_text(object, name);

	if (value.len == 0)
		return;
	buf_add_format(text, "%s%s ", text->len > 0 ? ", " : "", label);
	human_text(text, value);
}

/* Behind what is there, a new line where the next one would not fit. */
static void print_addresses(const json_t *list, struct buf *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		if (item && text->len + strlen(item) + 1 > LINE_COLUMNS) {
			printf("%-9s %s\n", "", buf_text(text));
			buf_reset(text);
			buf_add_char(text, ' ');
		}
		buf_add_char(text, ' ');
		human_text(text, slice_of(item ? item : "?"));
	}
	printf("%-9s %s\n", "", buf_text(text));
	buf_reset(text);
}

static void print_interface(const json_t *interface, struct buf *text)
{
	struct slice name = answer_text(interface, "name");

	buf_add_text(text, answer_flag(interface, "carrier") ? "up" : "no carrier");
	if (answer_number(interface, "speed") > 0)
		buf_add_format(text, ", %u Mbit/s", (unsigned)answer_number(interface, "speed"));
	add_named(text, interface, "driver", "driver");
	add_named(text, interface, "mac", "MAC");
	if (answer_number(interface, "mtu") > 0)
		buf_add_format(text, ", MTU %u", (unsigned)answer_number(interface, "mtu"));
	printf("%-9.*s %s\n", SLICE_FMT(name), buf_text(text));
	buf_reset(text);
	human_text(text, answer_text(interface, "method"));
	if (answer_number(interface, "lease_ms") > 0) {
		buf_add_text(text, " (lease for ");
		human_duration(text, answer_number(interface, "lease_ms"));
		buf_add_char(text, ')');
	}
	buf_add_char(text, ':');
	print_addresses(json_object_get(interface, "addresses"), text);
	if (json_array_size(json_object_get(interface, "duplicates")) > 0) {
		add_texts(text, json_object_get(interface, "duplicates"));
		printf("%-9s not used, another machine has:%s\n", "", buf_text(text));
		buf_reset(text);
	}
	add_named(text, interface, "gateway", "gateway");
	add_named(text, interface, "gateway6", "gateway");
	if (text->len > 0)
		printf("%-9s %s\n", "", buf_text(text));
	buf_reset(text);
}

void network_print(const json_t *answer)
{
	const json_t *interfaces = network_interfaces(answer);
	const json_t *resolvers = json_object_get(answer, "resolvers");
	struct buf text;

	buf_init(&text, 64u << 10);
	for (size_t i = 0; i < json_array_size(interfaces); i++)
		print_interface(json_array_get(interfaces, i), &text);
	if (json_array_size(interfaces) == 0)
		puts("no interface");
	add_texts(&text, resolvers);
	if (json_array_size(resolvers) > 0)
		printf("resolvers%s\n", buf_text(&text));
	buf_done(&text);
}

static int show(struct console *console)
{
	json_t *reply;
	int code = link_run_init(console, json_pack("{s:s}", "command", "network.show"),
				 LINK_PATIENCE_MS, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json)
		network_print(reply);
	json_decref(reply);
	return code;
}

/* What was asked for takes a moment to be so: addresses come and go one after the other. */
static int apply(struct console *console)
{
	json_t *reply;
	int code = link_ask_init(console, "network.apply", &reply);

	json_decref(reply);
	if (code != CONSOLE_OK)
		return code;
	poll(NULL, 0, SETTLE_MS);
	return show(console);
}

int network_show_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	code = show(console);
	if (code == CONSOLE_OK && !console->json && settings_are_open())
		puts("Settings were changed and not applied: `network apply` or `network revert`.");
	return code;
}

/* ---- set ---- */

/* "OPTION=VALUE", or "OPTION+=ITEM" for one more item of a list. */
static bool set_one(struct appliance *appliance, const char *section, char *word,
		    struct error *error)
{
	char *equals = strchr(word, '=');
	bool adds;

	if (!equals || equals == word)
		return error_set(error, "\"%.64s\" is not OPTION=VALUE", word);
	adds = equals[-1] == '+';
	equals[adds ? -1 : 0] = '\0';
	if (adds)
		return appliance_add(appliance, section, word, slice_of(equals + 1), error);
	return appliance_set(appliance, section, word, slice_of(equals + 1), error);
}

static bool set_all(struct appliance *appliance, u32 made, int argc, char **argv,
		    struct error *error)
{
	const char *section = argc > 0 && !strchr(argv[0], '=') ? argv[0] : NULL;

	if (section)
		argc--, argv++;
	if (made != MADE_NONE && !section)
		return error_set(error, "--new needs the name of the interface");
	if (made != MADE_NONE &&
	    !appliance_interface(appliance, (enum appliance_kind)made, section, error))
		return false;
	/* The first word about an interface that is known to the kernel alone names it. */
	if (section && made == MADE_NONE && strcmp(section, "ssh") != 0 &&
	    !appliance_find(appliance, section) &&
	    !appliance_interface(appliance, APPLIANCE_ETHERNET, section, error))
		return false;
	for (int i = 0; i < argc; i++) {
		if (!set_one(appliance, section, argv[i], error))
			return false;
	}
	return true;
}

static int finish_change(struct console *console, struct appliance *appliance, bool is_changed,
			 struct error *error)
{
	bool is_written = is_changed && settings_write(appliance, error);

	appliance_free(appliance);
	if (!is_written)
		return console_fail_error(console, CONSOLE_FAILED, error);
	if (!console->json)
		puts("Written. It counts when `network apply` has been said.");
	return CONSOLE_OK;
}

/* Settings are the appliance's; CONSOLE_OK: this is one. */
static int need_appliance(struct console *console)
{
	struct control_client *client;
	int code = link_open_init(console, &client);

	if (code == CONSOLE_OK)
		control_client_close(client);
	return code;
}

/* Of a command on settings that takes `count` words. False: *code is its answer. */
static bool begin(struct console *console, int argc, char **argv, int count, int *code)
{
	if (!console_arguments(console, NULL, 0, argc, argv, count, count, code))
		return false;
	*code = need_appliance(console);
	return *code == CONSOLE_OK;
}

int network_set_run(struct console *console, int argc, char **argv)
{
	static const char *const kinds[] = { "ethernet", "vlan", "bond", NULL };
	u32 made = MADE_NONE;
	const struct option options[] = {
		{ "new", OPTION_WORD, &made, "vlan|bond|ethernet",
		  "make the interface that is named", kinds },
	};
	struct appliance appliance;
	struct error error;
	int words;
	int code;

	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	if (words == 0 || (words == 1 && made == MADE_NONE && !strchr(argv[0], '=')))
		return console_fail(console, CONSOLE_USAGE,
				    "say what: network set eth0 addresses=192.0.2.10/24");
	code = need_appliance(console);
	if (code != CONSOLE_OK)
		return code;
	if (!settings_read(&appliance, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	return finish_change(console, &appliance,
			     set_all(&appliance, made, words, argv, &error), &error);
}

int network_remove_run(struct console *console, int argc, char **argv)
{
	struct appliance appliance;
	struct error error;
	bool is_there;
	int code;

	if (!begin(console, argc, argv, 1, &code))
		return code;
	if (!settings_read(&appliance, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	is_there = appliance_find(&appliance, argv[0]) != NULL;
	if (is_there)
		appliance_remove(&appliance, argv[0]);
	else
		error_set(&error, "the settings have no interface \"%.64s\"", argv[0]);
	return finish_change(console, &appliance, is_there, &error);
}

int network_adopt_run(struct console *console, int argc, char **argv)
{
	struct appliance appliance;
	struct error error;
	int code;

	if (!begin(console, argc, argv, 0, &code))
		return code;
	if (!settings_read_restored(&appliance, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	return finish_change(console, &appliance, true, &error);
}

int network_revert_run(struct console *console, int argc, char **argv)
{
	struct error error;
	int code;

	if (!begin(console, argc, argv, 0, &code))
		return code;
	if (!settings_revert(&error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	if (!console->json)
		puts("The settings are those that counted before.");
	return apply(console);
}

/* ---- apply ---- */

static volatile sig_atomic_t was_interrupted;

static void on_interrupt(int number)
{
	(void)number;
	was_interrupted = 1;
}

/* A line from the terminal, if one comes within the time; "" otherwise. */
static void read_answer(char *answer, size_t size, int wait_ms, bool *is_gone)
{
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	answer[0] = '\0';
	if (*is_gone) {
		poll(NULL, 0, wait_ms);
		return;
	}
	if (poll(&ready, 1, wait_ms) <= 0)
		return;
	n = read(STDIN_FILENO, answer, size - 1);
	*is_gone = n <= 0;
	answer[n > 0 ? n : 0] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
}

/*
 * Until somebody says that it works: here, or in another session by `network confirm`, which takes
 * away what there is to go back to. This session may be the one that is cut off: its end must not
 * be ours.
 */
static bool is_confirmed(u64 trial_ms)
{
	u64 until_ns = clock_mono_ns() + trial_ms * NS_PER_MS;
	struct sigaction action = { .sa_handler = on_interrupt };
	bool is_gone = false;
	char answer[64];

	signal(SIGHUP, SIG_IGN);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	printf("Do they work? Type yes within %u s to keep them, or say `network confirm`\n"
	       "in another session. Otherwise the settings from before come back.\n> ",
	       (unsigned)(trial_ms / 1000));
	fflush(stdout);
	while (clock_mono_ns() < until_ns && !was_interrupted) {
		read_answer(answer, sizeof(answer), 500, &is_gone);
		if (strcmp(answer, "yes") == 0 || !settings_are_open())
			return true;
		if (strcmp(answer, "no") == 0)
			return false;
		if (*answer)
			fputs("yes or no? ", stdout), fflush(stdout);
	}
	return !settings_are_open();
}

static int go_back(struct console *console)
{
	struct error error;

	if (!settings_revert(&error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	puts("\nNobody said yes: the settings from before are back.");
	(void)apply(console);
	return CONSOLE_FAILED;
}

int network_apply_run(struct console *console, int argc, char **argv)
{
	bool is_sure = false;
	u64 trial_ms = TRIAL_MS;
	const struct option options[] = {
		{ "yes", OPTION_FLAG, &is_sure, NULL, "for good at once, without a trial", NULL },
		{ "trial", OPTION_DURATION, &trial_ms, "TIME", "how long to wait for a yes (60s)",
		  NULL },
	};
	bool is_trial;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	is_trial = !is_sure && who_is_remote() && settings_may_cut_off();
	code = apply(console);
	if (code != CONSOLE_OK)
		return code;
	if (is_trial && !is_confirmed(trial_ms))
		return go_back(console);
	settings_keep();
	return CONSOLE_OK;
}

int network_confirm_run(struct console *console, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (!settings_are_open())
		return console_fail(console, CONSOLE_FAILED, "no settings wait to be confirmed");
	settings_keep();
	if (!console->json)
		puts("The settings stay.");
	return CONSOLE_OK;
}
