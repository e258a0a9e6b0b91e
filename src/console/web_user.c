/* `web-user`: people who sign in to the pages. */
#include "console/command.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/invitation.h"
#include "base/text.h"
#include "console/link.h"
#include "message/address.h"

#include <stdio.h>
#include <string.h>

const char web_user_add_help[] =
	"Prints the path of a page at which that person chooses a password; it counts\n"
	"once, for seven days. The first owner gets in by it, and who has lost password\n"
	"or phone gets in again: codes are not asked for any more. Others are invited by\n"
	"an owner, on the page Users. Roles: owner (everything), editor (no users, no\n"
	"settings), viewer (changes nothing).\n"
	"\n"
	"Examples:\n"
	"  hikyaku web-user add mori@example.jp\n"
	"  hikyaku web-user add ann@example.jp --role editor";

static void print_link(const struct console *console, const char *email, const char *token)
{
	if (console->json) {
		json_t *json = json_pack("{s:s, s:s+}", "email", email, "path", "/admin/welcome/",
					 token);

		link_print_json(json);
		json_decref(json);
		return;
	}
	printf("/admin/welcome/%s\n", token);
	fprintf(stderr,
		"Open this path on the web server (https://HOST/...) within seven days; whoever\n"
		"does chooses the password of %s.\n",
		email);
}

static bool choose_role(const char *name, enum invitation_role *role)
{
	for (u32 i = INVITATION_VIEWER; i <= INVITATION_OWNER; i++) {
		if (strcmp(name, invitation_role_names[i]) == 0) {
			*role = (enum invitation_role)i;
			return true;
		}
	}
	return false;
}

int web_user_add_run(struct console *console, int argc, char **argv)
{
	const char *role = "owner";
	const struct option options[] = {
		{ "role", OPTION_TEXT, &role, "ROLE", "owner (the default), editor or viewer",
		  NULL },
	};
	struct invitation invitation = { .until_ms = clock_wall_ms() + INVITATION_AGE_MS };
	char path[CONSOLE_PATH_SIZE];
	char token[INVITATION_TOKEN_SIZE];
	struct config config;
	struct address address;
	struct error error;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (!choose_role(role, &invitation.role))
		return console_fail(console, CONSOLE_USAGE, "%s is no role: owner, editor, viewer",
				    role);
	if (!address_parse(&address, slice_of(argv[0]), &error))
		return console_fail_error(console, CONSOLE_USAGE, &error);
	if (strchr(argv[0], ' ') ||
	    !slice_copy(invitation.email, sizeof(invitation.email), slice_of(argv[0])))
		return console_fail(console, CONSOLE_USAGE, "this address cannot sign in");
	ascii_lower_in_place(invitation.email, strlen(invitation.email));
	if (!config_read(&config, console_config_path(console, path), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	invitation_make(token, invitation.digest);
	if (invitation_add(config.web.invitations, &invitation, clock_wall_ms(), &error)) {
		print_link(console, invitation.email, token);
		code = CONSOLE_OK;
	} else {
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	}
	explicit_bzero(token, sizeof(token));
	config_free(&config);
	return code;
}
