/*
 * The role `hook`: takes entries of the delivery log from the sender, in their order and at least
 * once each, and posts them to the URLs of the configuration's sections "hook".
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

/* `hikyaku hook [--config FILE]`; returns the exit code of the process. */
int hook_main(int argc, char **argv);

#endif
