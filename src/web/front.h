/*
 * What stands before the pages: lighttpd, which has TLS, HTTP/2, files and limits. Ours is what it
 * needs before it starts, and the question whether it answers.
 */
#ifndef WEB_FRONT_H
#define WEB_FRONT_H

/*
 * `hikyaku www --host NAME`: becomes lighttpd (/etc/lighttpd.conf) once there is a certificate for
 * NAME. Returns only when that fails, with a sentence on stderr.
 */
int front_main(int argc, char **argv);

/*
 * `hikyaku page-test`: asks the server on loopback for its first page, by TLS. Exit code 0: it
 * answered 200 with a body; a line says so, or what was wrong. init asks for it before it calls a
 * system on trial good.
 */
int front_page_test_main(int argc, char **argv);

#endif
