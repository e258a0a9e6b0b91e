/*
 * The role `web`: the interface for programs, behind a web server that has TLS and speaks SCGI to a
 * unix socket. One thread, one ring; it holds no keys of the sender's and no queue: what is to be
 * done it asks of the sender, over the control socket.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

/* `hikyaku web [--config FILE]`: runs until SIGTERM. Returns the exit code. */
int web_main(int argc, char **argv);

#endif
