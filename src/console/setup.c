#include "console/setup.h"

#include "base/text.h"
#include "console/command.h"
#include "console/link.h"
#include "console/network.h"
#include "console/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- asking ---- */

void setup_explain(const char *text)
{
	printf("\n%s\n", text);
}

enum setup_result setup_ask(struct setup *setup, const char *question, const char *fallback,
			    enum name_kind kind, char *answer)
{
	char prompt[96];
	const char *line;

	/* A long default stands on a line of its own, so that what is typed has room. */
	if (fallback && *fallback && strlen(question) + strlen(fallback) > 50) {
		printf("[%.*s]\n", 76, fallback);
		snprintf(prompt, sizeof(prompt), "%.60s: ", question);
	} else {
		snprintf(prompt, sizeof(prompt),
			 fallback && *fallback ? "%.60s [%.50s]: " : "%.60s: ", question, fallback);
	}
	for (;;) {
		struct slice typed;

		if (editor_ask(setup->editor, prompt, kind, &line) != EDITOR_LINE) {
			putchar('\n');
			return SETUP_QUIT;
		}
		typed = slice_trim(slice_of(line));
		if (slice_equal(typed, SLICE("back")))
			return SETUP_BACK;
		if (slice_equal(typed, SLICE("quit")))
			return SETUP_QUIT;
		if (typed.len == 0 && fallback)
			typed = slice_of(fallback);
		else if (typed.len == 0)
			continue;
		if (slice_copy(answer, SETUP_TEXT_MAX, typed))
			return SETUP_NEXT;
		puts("That is too long.");
	}
}

enum setup_result setup_ask_option(struct setup *setup, const char *question, const char *fallback,
				   enum name_kind kind, const char *section, const char *option)
{
	char answer[SETUP_TEXT_MAX];

	for (;;) {
		enum setup_result result = setup_ask(setup, question, fallback, kind, answer);
		struct error error;

		if (result != SETUP_NEXT)
			return result;
		/* A method has such a word itself. */
		if (strcmp(answer, "none") == 0 && strcmp(option, "method") != 0)
			answer[0] = '\0';
		if (appliance_set(&setup->appliance, section, option, slice_of(answer), &error))
			return SETUP_NEXT;
		printf("%s.\n", error.text);
	}
}

/* ---- the machine ---- */

static void add_interface(struct setup *setup, struct slice name)
{
	if (setup->interface_count < APPLIANCE_INTERFACES_MAX && name.len <= APPLIANCE_NAME_MAX &&
	    !slice_equal(name, SLICE("lo")))
		slice_copy(setup->interfaces[setup->interface_count++], APPLIANCE_NAME_MAX + 1,
			   name);
}

/* As the kernel has them, when init does not tell: those with a device behind them. */
static void find_devices(struct setup *setup)
{
	struct dirent **entries = NULL;
	int count = scandir("/sys/class/net", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char path[320];

		snprintf(path, sizeof(path), "/sys/class/net/%.255s/device", name);
		if (name[0] != '.' && access(path, F_OK) == 0)
			add_interface(setup, slice_of(name));
		free(entries[i]);
	}
	free(entries);
}

/* Ethernet interfaces; VLANs and bonds are made by `network set`. */
static void find_interfaces(struct setup *setup)
{
	const json_t *list;
	json_t *reply = NULL;

	if (link_run_init(setup->console, json_pack("{s:s}", "command", "network.show"),
			  LINK_PATIENCE_MS, NULL, NULL, &reply) == CONSOLE_OK) {
		list = network_interfaces(reply);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *interface = json_array_get(list, i);
			struct slice name = answer_text(interface, "name");

			if (answer_text(interface, "mac").len > 0 &&
			    slice_find_char(name, '.') < 0 &&
			    !slice_has_prefix(name, SLICE("bond")))
				add_interface(setup, name);
		}
	}
	json_decref(reply);
	if (setup->interface_count == 0)
		find_devices(setup);
	if (setup->interface_count == 0)
		add_interface(setup, SLICE("eth0"));
	qsort(setup->interfaces, setup->interface_count, sizeof(setup->interfaces[0]),
	      (int (*)(const void *, const void *))strcmp);
}

bool setup_is_due(void)
{
	char path[CONSOLE_PATH_SIZE];

	return link_has_init() && access(console_etc_path("appliance.conf", path), F_OK) < 0 &&
	       access(console_etc_path("hikyaku.conf", path), F_OK) < 0;
}

/* ---- the command ---- */

static int run_steps(struct setup *setup)
{
	u32 at = 0;

	while (at < setup_step_count) {
		enum setup_result result = setup_steps[at].run(setup);

		if (result == SETUP_QUIT) {
			puts("\nNothing was changed. `setup` begins anew.");
			return CONSOLE_FAILED;
		}
		if (result == SETUP_NEXT)
			at++;
		else if (at > 0)
			at--;
		else
			puts("This is the first question.");
	}
	return setup_finish(setup);
}

/* One console at a time: answers of two would become one configuration. */
static int take_lock(void)
{
	char path[CONSOLE_PATH_SIZE];
	int fd = open(console_etc_path("setup.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int setup_run(struct console *console, int argc, char **argv)
{
	struct setup setup = { .console = console };
	struct error error;
	int lock;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (!link_has_init()) {
		struct control_client *client;

		return link_open_init(console, &client);
	}
	lock = take_lock();
	if (lock < 0)
		return console_fail(console, CONSOLE_FAILED,
				    "setup is under way on another console");
	if (!settings_read(&setup.appliance, &error)) {
		close(lock);
		return console_fail_error(console, CONSOLE_FAILED, &error);
	}
	setup.editor = editor_open();
	find_interfaces(&setup);
	puts("This sets the machine up. Every question has an explanation and most a default,\n"
	     "in brackets, that Enter takes. `back` goes back by one, Ctrl-C breaks off;\n"
	     "nothing is changed before the last question is answered.");
	code = setup.editor ? run_steps(&setup) : CONSOLE_FAILED;
	editor_close(setup.editor);
	appliance_free(&setup.appliance);
	close(lock);
	return code;
}
