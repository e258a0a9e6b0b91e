#include "web/asker.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>

#define PATIENCE_MS 30000
#define PART_MAX (512u << 10) /* bytes of a template in one frame */

void asker_init(struct asker *asker, const char *path)
{
	*asker = (struct asker){ .path = path };
}

void asker_done(struct asker *asker)
{
	control_client_close(asker->client);
	asker->client = NULL;
}

void asker_answer_done(struct asker_answer *answer)
{
	json_decref(answer->reply);
	json_decref(answer->items);
	*answer = (struct asker_answer){ 0 };
}

u64 asker_number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (u64)value : 0;
}

const char *asker_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void lose(struct asker *asker, const struct error *error)
{
	if (!asker->was_lost)
		log_warn("web", "the sender cannot be asked", "reason=%s", error->text);
	asker->was_lost = true;
	asker_done(asker);
}

static bool connect_now(struct asker *asker, struct asker_answer *answer)
{
	enum control_problem problem;

	if (asker->client)
		return true;
	asker->client = control_client_open(asker->path, &problem, &answer->error);
	if (!asker->client) {
		lose(asker, &answer->error);
		return false;
	}
	control_client_set_patience(asker->client, PATIENCE_MS);
	if (asker->was_lost)
		log_info("web", "the sender answers again", "");
	asker->was_lost = false;
	return true;
}

/* A refusal may come while data goes out: it is read by asker_end. */
static bool goes_on(struct asker *asker, enum control_answer sent, struct asker_answer *answer)
{
	if (sent == CONTROL_SENT)
		return true;
	if (sent == CONTROL_REFUSED)
		slice_copy(answer->code, sizeof(answer->code),
			   slice_of(control_client_code(asker->client)));
	else
		lose(asker, &answer->error);
	return false;
}

bool asker_begin(struct asker *asker, json_t *request, struct asker_answer *answer)
{
	*answer = (struct asker_answer){ .items = json_array() };
	if (!request || !answer->items) {
		json_decref(request);
		error_set(&answer->error, "no memory for a question to the sender");
		return false;
	}
	if (!connect_now(asker, answer)) {
		json_decref(request);
		return false;
	}
	return goes_on(asker, control_client_request(asker->client, request, &answer->error),
		       answer);
}

bool asker_data(struct asker *asker, enum control_data_tag tag, struct slice bytes,
		struct asker_answer *answer)
{
	while (bytes.len > 0) {
		struct slice part = slice_first(bytes, tag == CONTROL_DATA_ROWS ? bytes.len
										 : PART_MAX);

		if (!goes_on(asker,
			     control_client_data(asker->client, tag, part, &answer->error),
			     answer))
			return false;
		bytes = slice_from(bytes, part.len);
	}
	return true;
}

static enum asker_end wait(struct asker *asker, struct asker_answer *answer)
{
	json_t *json = NULL;
	enum control_answer got;

	while ((got = control_client_next(asker->client, &json, &answer->error)) == CONTROL_ITEM)
		json_array_append_new(answer->items, json);
	if (got == CONTROL_REPLY) {
		answer->reply = json;
		return ASKER_REPLIED;
	}
	if (got == CONTROL_REFUSED) {
		slice_copy(answer->code, sizeof(answer->code),
			   slice_of(control_client_code(asker->client)));
		return ASKER_REFUSED;
	}
	lose(asker, &answer->error);
	return ASKER_AWAY;
}

enum asker_end asker_end(struct asker *asker, struct asker_answer *answer)
{
	/* What was refused on the way is over; a connection that broke, too. */
	if (answer->code[0])
		return ASKER_REFUSED;
	if (!asker->client ||
	    !goes_on(asker, control_client_end(asker->client, &answer->error), answer))
		return answer->code[0] ? ASKER_REFUSED : ASKER_AWAY;
	return wait(asker, answer);
}

enum asker_end asker_ask(struct asker *asker, json_t *request, struct asker_answer *answer)
{
	if (!asker_begin(asker, request, answer))
		return answer->code[0] ? ASKER_REFUSED : ASKER_AWAY;
	return wait(asker, answer);
}
