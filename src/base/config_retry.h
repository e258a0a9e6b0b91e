/*
 * Private to config*.c: the section "retry". A class of replies whose section the file does not
 * have goes by the file's `schedule` when there is one, else by one that comes with the program.
 */
#ifndef BASE_CONFIG_RETRY_H
#define BASE_CONFIG_RETRY_H

#include "base/config.h"
#include "base/config_file.h"

bool config_retry_read(struct config_file *file, struct config *config) MUST_CHECK;

#endif
