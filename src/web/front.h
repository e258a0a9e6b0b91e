/*
 * What stands before the pages: lighttpd, which has TLS, HTTP/2, files and limits. Ours is the role
 * that keeps it: it makes lighttpd's configuration from hikyaku.conf (section www), sees to the
 * certificate (front_certificate.h, acme.h) and its renewal, to the size of the log, and to a
 * configuration that changed; and the question whether it answers.
 *
 * One thread that looks about once a second. lighttpd and whoever talks with a certificate
 * authority are processes of their own.
 */
#ifndef WEB_FRONT_H
#define WEB_FRONT_H

/*
 * `hikyaku www [--host NAME] [--config FILE]`: runs until SIGTERM, or until lighttpd ends. NAME is
 * the machine's: it is served when the configuration names no other. A configuration that is not
 * there or is wrong is no reason not to start: what is built in counts until it is right. Returns
 * the exit code.
 */
int front_main(int argc, char **argv);

/*
 * `hikyaku page-test`: asks the server on loopback for its first page, by TLS. Exit code 0: it
 * answered 200 with a body; a line says so, or what was wrong. init asks for it before it calls a
 * system on trial good.
 */
int front_page_test_main(int argc, char **argv);

#endif
