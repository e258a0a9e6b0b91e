/*
 * The wizard of the first start: questions with an explanation, a default and a check each; `back`
 * goes one back, and nothing is written before the last one is answered. Broken off, it begins
 * anew.
 */
#ifndef CONSOLE_SETUP_H
#define CONSOLE_SETUP_H

#include "base/appliance.h"
#include "console/editor.h"

#define SETUP_TEXT_MAX 1024

struct setup {
	struct editor *editor;
	const struct console *console;
	struct appliance appliance; /* what will be written */
	char domain[256];           /* that mail is sent for */
	char selector[64];          /* of the key that will be made */
	bool wants_certificate;     /* for the web pages, from an authority */
	char interfaces[APPLIANCE_INTERFACES_MAX][APPLIANCE_NAME_MAX + 1];
	u32 interface_count;
};

enum setup_result { SETUP_NEXT, SETUP_BACK, SETUP_QUIT };

/*
 * One question. *answer (SETUP_TEXT_MAX bytes) is what was typed, or `fallback` (NULL: there is
 * none) for an empty line. `back` and the end of the input are results of their own.
 */
enum setup_result setup_ask(struct setup *setup, const char *question, const char *fallback,
			    enum name_kind kind, char *answer) MUST_CHECK;
/* As setup_ask until appliance_set takes the answer as that option. */
enum setup_result setup_ask_option(struct setup *setup, const char *question, const char *fallback,
				   enum name_kind kind, const char *section,
				   const char *option) MUST_CHECK;
/* A paragraph before a question. */
void setup_explain(const char *text);

/* The steps, in their order. */
struct setup_step {
	enum setup_result (*run)(struct setup *setup);
};
extern const struct setup_step setup_steps[];
extern const u32 setup_step_count;

/*
 * Writes the settings and the sender's configuration, has the key made, and prints the records to
 * publish. An exit code.
 */
int setup_finish(struct setup *setup);

/* The appliance was never told who it is: no settings, and no sender's configuration. */
bool setup_is_due(void);

/* "SHA256:..." of a public key as authorized_keys has it, as ssh shows it; "" when it is none. */
#define SETUP_FINGERPRINT_SIZE 64
void setup_fingerprint(const char *key, char out[SETUP_FINGERPRINT_SIZE]);

#endif
