#include "console/audit.h"

#include "base/buf.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/who.h"

#define PATIENCE_MS 1000
#define TEXT_MAX 1000

void audit_note(const char *line)
{
	enum control_problem problem;
	struct error ignored;
	struct control_client *client = control_client_open(link_init_path(), &problem, &ignored);
	json_t *reply = NULL;
	char who[WHO_SIZE];
	struct buf text;

	if (!client)
		return;
	who_describe(who);
	buf_init(&text, 4 * TEXT_MAX);
	human_text(&text, slice_first(slice_of(line), TEXT_MAX));
	control_client_set_patience(client, PATIENCE_MS);
	/* An init that does not know it refuses, and then nothing is lost but this line. */
	if (control_client_request(client,
				   json_pack("{s:s, s:s, s:s}", "command", "log.write", "who", who,
					     "text", buf_text(&text)),
				   &ignored) == CONTROL_SENT &&
	    control_client_next(client, &reply, &ignored) == CONTROL_REPLY)
		json_decref(reply);
	buf_done(&text);
	control_client_close(client);
}
