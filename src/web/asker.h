/*
 * Questions to the sender over its control socket from a thread that may wait: one after the other,
 * by one connection that is made anew when it broke. (Threads with a ring: exchange.h.)
 */
#ifndef WEB_ASKER_H
#define WEB_ASKER_H

#include "control/client.h"

struct asker {
	const char *path; /* of the socket */
	struct control_client *client; /* NULL: not connected */
	bool was_lost; /* and said already */
};

void asker_init(struct asker *asker, const char *path);
void asker_done(struct asker *asker);

enum asker_end {
	ASKER_REPLIED,
	ASKER_REFUSED, /* `code` is the sender's word */
	ASKER_AWAY,    /* not there, or lost on the way: what became of it is not known */
};
struct asker_answer {
	json_t *reply; /* NULL unless it replied */
	json_t *items; /* a list */
	char code[32];
	struct error error;
};

/* Takes the reference of `request`. The answer is to be freed in any case. */
enum asker_end asker_ask(struct asker *asker, json_t *request,
			 struct asker_answer *answer) MUST_CHECK;
void asker_answer_done(struct asker_answer *answer);

/*
 * The same in steps, for requests with data: begin, then any number of asker_data, then end. What
 * begin and data return only says whether to go on.
 */
bool asker_begin(struct asker *asker, json_t *request, struct asker_answer *answer) MUST_CHECK;
bool asker_data(struct asker *asker, enum control_data_tag tag, struct slice bytes,
		struct asker_answer *answer) MUST_CHECK;
enum asker_end asker_end(struct asker *asker, struct asker_answer *answer) MUST_CHECK;

u64 asker_number(const json_t *object, const char *name); /* 0: not there */
const char *asker_text(const json_t *object, const char *name); /* "": not there */

#endif
