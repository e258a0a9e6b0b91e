/*
 * One request to init from a program of the image that is no session: what udhcpc and the kernel
 * start.
 */
#ifndef INIT_ASK_H
#define INIT_ASK_H

#include "base/error.h"
#include "base/types.h"

#include <jansson.h>

/* Takes the reference. True: init has done it; else `error` says why not. */
bool ask_init(json_t *request, struct error *error) MUST_CHECK;

#endif
