/* Private to sandbox*.c: system calls that are taken away. */
#ifndef INIT_SANDBOX_CALLS_H
#define INIT_SANDBOX_CALLS_H

#include "init/sandbox.h"

/* For the calling process and what it becomes; no_new_privs must be set. False: not done. */
bool sandbox_restrict_calls(u32 rights, struct error *error) MUST_CHECK;

#endif
