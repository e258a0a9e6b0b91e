#include "init/ask.h"

#include "control/client.h"

bool ask_init(json_t *request, struct error *error)
{
	enum control_problem problem;
	enum control_answer answer;
	json_t *reply = NULL;
	struct control_client *client = control_client_open(CONTROL_INIT_PATH, &problem, error);

	if (!client) {
		json_decref(request);
		return false;
	}
	answer = control_client_request(client, request, error);
	if (answer == CONTROL_SENT)
		answer = control_client_next(client, &reply, error);
	json_decref(reply);
	control_client_close(client);
	return answer == CONTROL_REPLY;
}
