/*
 * The role `send`: reads the configuration, opens the planner and its ring, starts the workers,
 * serves the control socket and the metrics page, and stops gracefully on SIGTERM or on request.
 */
#ifndef SEND_SEND_H
#define SEND_SEND_H

/* `hikyaku send [--config FILE] [--check]`; returns the exit code of the process. */
int send_main(int argc, char **argv);

#endif
