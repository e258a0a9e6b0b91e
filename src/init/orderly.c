#include "init/orderly.h"

#include "control/client.h"
#include "init/server.h"

#include <stdio.h>
#include <string.h>

int orderly_end(const char *what)
{
	struct error error = { "" };
	enum control_problem problem;
	enum control_answer answer;
	json_t *reply = NULL;
	struct control_client *client = control_client_open(SERVER_PATH, &problem, &error);
	const char *command = strcmp(what, "reboot") == 0 ? "system.reboot" : "system.poweroff";

	if (!client) {
		fprintf(stderr, "%s: %s\n", what, error.text);
		return 1;
	}
	answer = control_client_request(
		client, json_pack("{s:s, s:s}", "command", command, "who", "kernel"), &error);
	if (answer == CONTROL_SENT)
		answer = control_client_next(client, &reply, &error);
	json_decref(reply);
	control_client_close(client);
	if (answer != CONTROL_REPLY)
		fprintf(stderr, "%s: %s\n", what, error.text);
	return answer == CONTROL_REPLY ? 0 : 1;
}
