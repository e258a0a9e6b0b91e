/*
 * What the campaign commands share.
 */
#ifndef CONSOLE_CAMPAIGN_H
#define CONSOLE_CAMPAIGN_H

#include <jansson.h>

/* A request about the campaign that `word` names: digits are an id, else a name; NULL: all. */
json_t *campaign_request(const char *command, const char *word);

/* campaign 7 "spring" is running: 0 of 1,000 sent */
void campaign_print_line(const json_t *campaign);

#endif
