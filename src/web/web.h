/*
 * The role `web`: the newsletter service and the interface for programs, behind a web server that
 * has TLS and speaks SCGI to a unix socket. A few threads with a ring each, and one that writes the
 * audience (scribe.h). It holds no keys of the sender's and no queue: what is to be done it asks of
 * the sender, over the control socket.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

/* `hikyaku web [--config FILE]`: runs until SIGTERM. Returns the exit code. */
int web_main(int argc, char **argv);

#endif
