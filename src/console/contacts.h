/* Private to contacts*.c: imports as the interface of `hikyaku web` tells of them. */
#ifndef CONSOLE_CONTACTS_H
#define CONSOLE_CONTACTS_H

#include "console/web_link.h"

/*
 * Begins `what` ("try", "run", "undo") for an import and waits until it is over; a terminal shows
 * how far it is. Ctrl-C ends the waiting, not the import, and it is said how to go on. Prints
 * what came of it; the exit code.
 */
int contacts_act(struct web_link *link, u64 import, const char *what) MUST_CHECK;
/* The path of an import's call in `room`: "imports/7/run". */
#define CONTACTS_PATH_SIZE 64
const char *contacts_path(char room[CONTACTS_PATH_SIZE], u64 import, const char *what);

/*
 * Columns of a file by what is said of them: "Name=attribute,#3=ignore,*=ignore"; see
 * `contacts import --help`. `made` is the answer to the upload. NULL and a sentence: it cannot be.
 */
json_t *contacts_map(const json_t *made, const char *map, struct error *error) MUST_CHECK;
/* "news,offers" as a list of texts. */
json_t *contacts_names(const char *names) MUST_CHECK;

#endif
